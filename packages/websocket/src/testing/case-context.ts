import type { Bus } from '../bus.ts';
import { BusRecorder } from './bus-recorder.ts';

/** A backend that buses connect to. */
export interface BusBackend {
	/** Creates a bus for one more node, not started yet. */
	createBus(): Bus;
	/** Ends the backend. Called after all buses were stopped. */
	close?(): Promise<void> | void;
}

/** The environment of a conformance case, with a backend that no other case uses. */
export interface CaseContext {
	createBus(): Bus;
	/** Starts a bus, which is stopped after the case, and records what it reports. */
	startNode(): Promise<CaseNode>;
}

export interface CaseNode {
	readonly bus: Bus;
	readonly received: BusRecorder;
}

/** Runs a function on a fresh backend. Then stops all nodes and closes the backend, whatever the outcome. */
export async function withContext(
	openBackend: () => BusBackend | Promise<BusBackend>,
	run: (context: CaseContext) => Promise<void>,
): Promise<void> {
	const backend = await openBackend();
	const started: Bus[] = [];
	try {
		await run({
			createBus: () => backend.createBus(),
			async startNode() {
				const bus = backend.createBus();
				const received = new BusRecorder();
				started.push(bus);
				await bus.start(received);
				return { bus, received };
			},
		});
	} finally {
		await Promise.all(started.map((bus) => bus.stop()));
		await backend.close?.();
	}
}
