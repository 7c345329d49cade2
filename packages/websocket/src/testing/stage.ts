import type { Bus } from '../bus.ts';
import type { ConformanceCase } from './conformance.ts';
import { FrameRecorder } from './frame-recorder.ts';

/** Somewhere for buses to meet. */
export interface BusBackend {
	/** A bus for one more node; not started. */
	createBus(): Bus;
	/** Ends the backend; called after the buses were stopped. */
	close?(): Promise<void> | void;
}

/** Where a case plays: a backend of its own. */
export interface Stage {
	createBus(): Bus;
	/** A started bus and what it was told; stopped by the suite. */
	node(): Promise<Node>;
}

export interface Node {
	readonly bus: Bus;
	readonly seen: FrameRecorder;
}

/** What a suite demands, by name; each rejects when it is not so. */
export type Promises = Readonly<Record<string, (stage: Stage) => Promise<void>>>;

/** @param openBackend makes a fresh backend for each case */
export function onStage(
	openBackend: () => BusBackend | Promise<BusBackend>,
	promises: Promises,
): readonly ConformanceCase[] {
	return Object.entries(promises).map(([name, keep]) => ({
		name,
		async run() {
			const backend = await openBackend();
			const started: Bus[] = [];
			try {
				await keep({
					createBus: () => backend.createBus(),
					async node() {
						const bus = backend.createBus();
						const seen = new FrameRecorder();
						started.push(bus);
						await bus.start(seen);
						return { bus, seen };
					},
				});
			} finally {
				await Promise.all(started.map((bus) => bus.stop()));
				await backend.close?.();
			}
		},
	}));
}
