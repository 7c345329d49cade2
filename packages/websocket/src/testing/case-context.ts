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
	 * Makes the backend unreachable for this bus alone: its connections break, which both sides notice, and new ones
	 * fail. Resolves once nothing passes any more. Without `cut` and `restore`, the cases about outages are skipped.
	 */
	cut?(bus: Bus): Promise<void> | void;
	/** Undoes `cut`: new connections work again. */
	restore?(bus: Bus): Promise<void> | void;
	/**
	 * Makes the current connections of this bus half-open: nothing passes any more, and neither side notices. New ones
	 * work. Without it, the case about dead connections is skipped.
	 */
	freeze?(bus: Bus): Promise<void> | void;
	/**
	 * How long a case waits for something that must happen, such as the recovery after `restore`, in milliseconds.
	 * Default 3,000. With more than that, raise the time limit of the test runner as well.
	 */
	readonly timeoutMs?: number;
	/** Closes the backend. Called after all buses have been stopped. */
	close?(): Promise<void> | void;
}

/** The environment of a conformance case, with a backend that no other case uses. */
export interface CaseContext extends Links {
	readonly timeoutMs: number;
	createBus(): Promise<Bus>;
	/** Starts a bus and records what it reports. The bus is stopped after the case. */
	startNode(): Promise<CaseNode>;
	/** Skips the case unless the backend has all of these methods. */
	needs(...abilities: readonly (keyof Links)[]): void;
	/** Runs after the case, whatever its outcome. */
	onEnd(undo: () => Promise<unknown>): void;
}

/** Breaks and repairs links as {@link BusBackend} does. Skips the case if the backend can't. */
interface Links {
	cut(bus: Bus): Promise<void>;
	restore(bus: Bus): Promise<void>;
	freeze(bus: Bus): Promise<void>;
}

export interface CaseNode {
	readonly bus: Bus;
	readonly received: BusRecorder;
}

/** Ends a case that can't be run on this backend or bus. */
export class SkippedCase extends Error {
	override readonly name = 'SkippedCase';
}

/** Runs a function on a fresh backend. Afterwards stops all nodes and closes the backend, whatever the outcome. */
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
			onEnd: (undo) => void undos.push(undo),
		});
		passed = true;
	} finally {
		const ended = Promise.all(undos.toReversed().map((undo) => undo()));
		// Why the case failed matters more than that its nodes can't be stopped.
		if (passed) await within(timeoutMs, ended, () => new Error('a node could not be stopped after the case'));
		else await settledWithin(timeoutMs, ended);
		await backend.close?.();
	}
}
