import type { Bus } from '../bus.ts';
import { settledWithin, within } from '../support/promises.ts';
import { BusRecorder } from './bus-recorder.ts';

/** How long a case waits by default, in milliseconds: less than the usual time limit of a test. */
const TIMEOUT_MS = 3_000;

/** A backend that buses connect to. */
export interface BusBackend {
	/** Creates a bus for another node, without starting it. */
	createBus(): Bus | Promise<Bus>;
	/**
	 * Makes the backend unreachable for this bus alone: its connections break, which both ends notice, and new
	 * connections fail. Resolves once nothing gets through any more. Without `cut` and `restore`, the cases about
	 * outages are skipped.
	 */
	cut?(bus: Bus): Promise<void> | void;
	/** Undoes `cut`: new connections work again. */
	restore?(bus: Bus): Promise<void> | void;
	/**
	 * Makes the current connections of this bus half-open: nothing gets through any more, and neither end notices. New
	 * connections work. Without `freeze`, the case about dead connections is skipped.
	 */
	freeze?(bus: Bus): Promise<void> | void;
	/**
	 * Makes the backend lose what it knows of presence, as if it was restarted without its data. Without it, the case
	 * about lost data is skipped.
	 */
	losePresence?(): Promise<void> | void;
	/**
	 * Moves the backend's clock by that many milliseconds; back if negative. Without it, the cases about clocks are
	 * skipped, and a case about a time of seconds waits for that long.
	 */
	moveClock?(byMs: number): Promise<void> | void;
	/**
	 * How long a case waits for something that must happen, such as the recovery after `restore`, in milliseconds.
	 * Default 3,000. If you raise it, raise the time limit of the test runner as well.
	 */
	readonly timeoutMs?: number;
	/** Closes the backend. Called after all buses have been stopped. */
	close?(): Promise<void> | void;
}

/** The environment of a conformance case, with a backend that no other case uses. */
export interface CaseContext extends Links {
	readonly timeoutMs: number;
	/** Makes the backend lose what it knows of presence. Skips the case if the backend lacks the method. */
	losePresence(): Promise<void>;
	/** Moves the backend's clock. Skips the case if the backend lacks the method. */
	moveClock(byMs: number): Promise<void>;
	/** Returns whether the backend has this method. */
	has(ability: Ability): boolean;
	createBus(): Promise<Bus>;
	/** Starts a bus and records what it reports. The bus is stopped after the case. */
	startNode(): Promise<CaseNode>;
	/** Skips the case unless the backend has all of these methods. */
	needs(...abilities: readonly Ability[]): void;
	/** Registers a function to run after the case, whether it passed or failed. */
	onEnd(undo: () => Promise<unknown>): void;
}

/** Breaks and repairs links as {@link BusBackend} does. Skips the case if the backend lacks the method. */
interface Links {
	cut(bus: Bus): Promise<void>;
	restore(bus: Bus): Promise<void>;
	freeze(bus: Bus): Promise<void>;
}

/** What a backend may be able to do. */
type Ability = keyof Links | 'losePresence' | 'moveClock';

export interface CaseNode {
	readonly bus: Bus;
	readonly received: BusRecorder;
}

/** Thrown to end a case that can't be run on this backend or bus. */
export class SkippedCase extends Error {
	override readonly name = 'SkippedCase';
}

/**
 * Runs a function on a fresh backend. Afterwards, stops all nodes and closes the backend, even if the function failed.
 */
export async function withContext(
	openBackend: () => BusBackend | Promise<BusBackend>,
	run: (context: CaseContext) => Promise<void>,
): Promise<void> {
	const backend = await openBackend();
	const { timeoutMs = TIMEOUT_MS } = backend;
	const undos: (() => Promise<unknown>)[] = [];
	const needs: CaseContext['needs'] = (...abilities) => {
		const missing = abilities.filter((ability) => backend[ability] === undefined);
		if (missing.length > 0)
			throw new SkippedCase(`the backend has no ${missing.map((each) => `${each}()`).join(' and ')}`);
	};
	const link =
		(ability: keyof Links) =>
		async (bus: Bus): Promise<void> => {
			needs(ability);
			await backend[ability]?.(bus);
		};
	const losePresence = async (): Promise<void> => {
		needs('losePresence');
		await backend.losePresence?.();
	};
	const moveClock = async (byMs: number): Promise<void> => {
		needs('moveClock');
		await backend.moveClock?.(byMs);
	};
	let passed = false;
	try {
		await run({
			timeoutMs,
			createBus: async () => backend.createBus(),
			async startNode() {
				const bus = await backend.createBus();
				const received = new BusRecorder(timeoutMs);
				undos.push(() => bus.stop());
				await bus.start(received);
				return { bus, received };
			},
			needs,
			cut: link('cut'),
			restore: link('restore'),
			freeze: link('freeze'),
			losePresence,
			moveClock,
			has: (ability) => backend[ability] !== undefined,
			onEnd: (undo) => void undos.push(undo),
		});
		passed = true;
	} finally {
		const ended = Promise.all(undos.toReversed().map((undo) => undo()));
		// If the case failed, that error matters more than a node that can't be stopped.
		if (passed) await within(timeoutMs, ended, () => new Error('a node could not be stopped after the case'));
		else await settledWithin(timeoutMs, ended);
		await backend.close?.();
	}
}
