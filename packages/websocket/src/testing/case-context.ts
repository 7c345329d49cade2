import type { Bus } from '../bus.ts';
import { BusRecorder } from './bus-recorder.ts';

/** A backend that buses connect to. */
export interface BusBackend {
	/** Creates a bus for another node, without starting it. */
	createBus(): Bus;
	/** Closes the backend. Called after all buses have been stopped. */
	close?(): Promise<void> | void;
}

/** The environment of a conformance case, with a backend that no other case uses. */
export interface CaseContext {
	createBus(): Bus;
	/** Starts a bus and records what it reports. The bus is stopped after the case. */
	startNode(): Promise<CaseNode>;
}

export interface CaseNode {
	readonly bus: Bus;
	readonly received: BusRecorder;
}

/** Runs a function on a fresh backend. Afterwards stops all nodes and closes the backend, whatever the outcome. */
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
