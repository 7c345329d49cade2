import type { Exposure } from '../ledger/run.ts';
import type { Backend } from './backend.ts';
import type { Stage } from './stage.ts';
import type { World } from './world.ts';

/** When something was broken and when it was whole again, as far as the backend and the network go. `Date.now()`. */
export interface Outage {
	readonly from: number;
	readonly back: number;
}

/** One way to break something, and what it may cost. */
export interface Fault<B extends Backend> {
	/** As it stands in the table. */
	readonly name: string;
	readonly backend: () => Promise<B>;
	readonly stage: Stage;
	/** Breaks it and repairs it, while everybody publishes. */
	inject(world: World<B>): Promise<Outage>;
	/** Which topics on which nodes may have lost something. Asked at the end. */
	readonly exposure: (node: string, topic: string, backend: B) => Exposure;
	/** Gap events that one node may report on one topic: as many as there were interruptions. Default 1. */
	readonly gapsPerTopic?: number;
	/** Whether it may pass without any loss; then the fault itself must make sure that it happened. Default false. */
	readonly mayLoseNothing?: boolean;
	/** How much earlier than the first possible loss a gap may begin, in milliseconds; default a heartbeat interval and 500. */
	readonly gapSlackMs?: number;
	/** How long the fault itself holds up deliveries that are bound to come, in milliseconds. Default 0. */
	readonly heldUpMs?: number;
}
