import type { Limits } from '@orijs/core';
import type { Target } from './target.ts';

/** Picks a number: the first one for a full run, the second one for a short run. */
export type Size = (full: number, short: number) => number;

/** What hostile clients do, and the most that it may cost. */
export interface Attack {
	readonly name: string;
	/** What the clients do, in a few words. */
	readonly title: string;
	/** The server's limits, where they differ from the defaults. */
	readonly limits?: Limits;
	/** Whether the server uses Redis. Default false. */
	readonly redis?: boolean;
	readonly bounds: Bounds;
	/**
	 * Attacks, and resolves when there is nothing more to do. Throws if the server did not do what it should, such as
	 * closing a connection. All connections that are opened through the target are dropped afterwards.
	 */
	run(target: Target, size: Size): Promise<void>;
}

/** The most that an attack may cost. */
export interface Bounds {
	/** How much the server's resident memory may grow during the attack, in MiB. */
	readonly peakMib: number;
	/** How much larger it may be afterwards, in MiB. Default {@link DEFAULT_KEPT_MIB}. */
	readonly keptMib?: number;
	/** The largest share of one processor during the attack, from 0 to 1; not limited by default. */
	readonly cpuShare?: number;
	/** How much may be logged, in bytes. Default {@link DEFAULT_LOG_BYTES}. */
	readonly logBytes?: number;
	/** How many keys may be left in Redis. Default 0. */
	readonly redisKeys?: number;
}

/** Memory that Bun's allocators keep after any attack. */
export const DEFAULT_KEPT_MIB = 64;
export const DEFAULT_LOG_BYTES: number = 32 * 1024;
