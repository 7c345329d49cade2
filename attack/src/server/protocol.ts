import type { Limits, RefusalCounts } from '@orijs/core';

/** The settings of a server process, passed as JSON in the environment variable `ATTACK_SERVER`. */
export interface ServerSettings {
	readonly limits: Limits;
	readonly redisPort: number | undefined;
}

/** A request to a server process. */
export type ServerRequest =
	/** Returns {@link Readings}. */
	| { readonly do: 'read' }
	/** Collects garbage, and returns {@link Readings}. */
	| { readonly do: 'settle' }
	/** Lets all `wait` handlers finish. */
	| { readonly do: 'release' }
	/** Publishes text to a topic, `count` times in total. */
	| { readonly do: 'publish'; readonly topic: string; readonly count: number; readonly bytes: number };

export interface Readings {
	readonly port: number;
	/** Resident memory, in bytes. */
	readonly rss: number;
	/** The processor time used since the start, in milliseconds. */
	readonly cpuMs: number;
	readonly connections: number;
	/** Topics with at least one socket on this node. */
	readonly topics: number;
	/** Uncaught exceptions and unhandled rejections. */
	readonly failures: readonly string[];
	readonly refusals: RefusalCounts;
}

/** The topic to which the server publishes a number every {@link NEWS_EVERY_MS}. */
export const NEWS = 'room:news';
export const NEWS_EVERY_MS = 50;
