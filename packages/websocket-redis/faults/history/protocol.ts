import type { HistoryRules } from '@orijs/websocket';

/** The topics with history. The last pattern keeps five messages: too few for a client that was disconnected. */
export const HISTORY: HistoryRules = {
	'kept:*': { size: 5_000, ttlMs: 600_000 },
	'all:*': { size: 50_000, ttlMs: 600_000, bytes: 64 * 1024 * 1024 },
	'brief:*': { size: 5, ttlMs: 600_000 },
};

/** The settings of a node process: JSON in its environment variable `HISTORY_NODE`. */
export interface NodeSettings {
	readonly redisPort: number;
	/** The port it listens on; 0 for any free port. */
	readonly port: number;
}

/** The requests to a node process. */
export type NodeRequest =
	| { readonly do: 'port' }
	/** Blocks the event loop; replies afterwards. */
	| { readonly do: 'stall'; readonly forMs: number }
	/** Replies with the number of its clients. */
	| { readonly do: 'clients' }
	/** Closes these clients' connections. Clients are numbered in the order in which they connected. */
	| { readonly do: 'kick'; readonly indexes: readonly number[] }
	/** Publishes `{by}:{i}` `count` times, in that order and without waiting; replies with the number accepted. */
	| { readonly do: 'burst'; readonly topic: string; readonly by: string; readonly count: number }
	/** Publishes one text `count` times at once, with one key; replies with the number of promises that resolved. */
	| {
			readonly do: 'race';
			readonly topic: string;
			readonly text: string;
			readonly key: string | undefined;
			readonly count: number;
	  };
