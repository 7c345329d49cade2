import type { ClockSpread } from '../counting/run.ts';
import type { FakeClock, ScriptProcess } from '@orijs/testkit';
import type { Outage } from './outage.ts';

export type ConditionKey = 'frozen' | 'stalled' | 'delayed' | 'clocksApart' | 'clocksSet';

/** Circumstances in which any fault has to cost as little as it does otherwise, within a tolerance. */
export interface Condition {
	/** As it stands in the table, after the name of the fault. */
	readonly name: string;
	/** How long bytes take between a node and Redis, by node and direction, in milliseconds. Each node has a proxy. */
	readonly links?: Readonly<Record<string, LinkDelay>>;
	/** How far clocks are ahead of the counting process's at the start, in milliseconds. */
	readonly clocks?: { readonly nodes: Readonly<Record<string, number>>; readonly redis: number };
	/** Causes the fault, and what happens around it. The outage it returns includes both. Default: only the fault. */
	around?(nodes: Surroundings, inject: () => Promise<Outage>): Promise<Outage>;
	readonly tolerance: Tolerance;
}

/** The nodes of a run, as far as a condition affects them. */
export interface Surroundings {
	node(name: string): AffectedNode;
	/** The clock of a node; undefined if it is that of the counting process. */
	clock(node: string): FakeClock | undefined;
}

export interface AffectedNode {
	readonly process: Pick<ScriptProcess, 'freeze' | 'thaw'>;
	/** Blocks its event loop. Resolves afterwards. */
	ask(request: { readonly do: 'stall'; readonly forMs: number }): Promise<void>;
}

export interface LinkDelay {
	readonly toServer: number;
	readonly toClient: number;
}

/** How much more than without the condition may happen. Silent losses, duplicates and inversions never may. */
export interface Tolerance {
	/** How much longer messages may take, in milliseconds. */
	readonly delayMs: number;
	/** How much earlier a gap may begin, in milliseconds. */
	readonly gapBeforeMs: number;
	/** How much longer it may take until everything works again, in milliseconds. */
	readonly recoveryMs: number;
	/** How many more gap events a node may report on one topic. */
	readonly gapsPerTopic: number;
	/** How far clocks may be from the counting process's at any time. */
	readonly clocks: ClockSpread;
	/** Nodes that may consider their own connections dead. */
	readonly interrupted: readonly string[];
	/** Whether a fault that has to lose something may lose nothing. */
	readonly mayLoseNothing: boolean;
}

export const NO_TOLERANCE: Tolerance = {
	delayMs: 0,
	gapBeforeMs: 0,
	recoveryMs: 0,
	gapsPerTopic: 0,
	clocks: { behindMs: 0, aheadMs: 0 },
	interrupted: [],
	mayLoseNothing: false,
};
