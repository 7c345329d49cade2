import type { Impact } from '../counting/run.ts';
import type { Backend, StartBackend } from './backend.ts';
import type { Deployment } from './deployment.ts';
import type { Outage } from './outage.ts';
import type { Scenario } from './scenario.ts';
import type { ByCondition } from './select-conditions.ts';

/** A way to break something, and the losses it may cause. */
export interface Fault<B extends Backend> {
	/** The fault's name in the table. */
	readonly name: string;
	readonly backend: StartBackend<B>;
	readonly scenario: Scenario;
	/** Breaks and repairs something, while every node publishes. */
	inject(deployment: Deployment<B>): Promise<Outage>;
	/** Returns the fault's impact on a topic on a node. Called at the end of the run. */
	readonly impact: (node: string, topic: string, backend: B) => Impact;
	/** The maximum number of gap events that a node may report on one topic: one per interruption. Default 1. */
	readonly gapsPerTopic?: number;
	/** Whether the fault may cause no loss; `inject` must then verify that it happened. Default false. */
	readonly mayLoseNothing?: boolean;
	/**
	 * How much earlier than the first possible loss a gap may begin, in milliseconds. Default: a heartbeat interval plus
	 * 500.
	 */
	readonly gapSlackMs?: number;
	/** Conditions that make no sense for the fault, each with the reason. Default: none. */
	readonly unsuited?: ByCondition;
	/**
	 * Conditions in which a node can't know that topics were not affected and may report gaps on them, each with the
	 * reason. Default: none.
	 */
	readonly falseAlarms?: ByCondition;
	/**
	 * Whether only full runs combine it with conditions, because it takes long and a similar fault is combined in every
	 * run. Default false.
	 */
	readonly fullRunsOnly?: boolean;
	/** How long the fault delays messages that will arrive, in milliseconds. Default 0. */
	readonly delayMs?: number;
}
