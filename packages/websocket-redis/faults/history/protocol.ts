import type { HistoryRules } from '@orijs/websocket';

/** The topics with history. The last pattern keeps only five messages, too few for a client that was disconnected. */
export const HISTORY: HistoryRules = {
	'kept:*': { size: 5_000, ttlMs: 600_000 },
	'all:*': { size: 50_000, ttlMs: 600_000, bytes: 64 * 1024 * 1024 },
	'brief:*': { size: 5, ttlMs: 600_000 },
};

/** The settings of a node process: JSON in its environment variable `HISTORY_NODE`. */
export interface NodeSettings {
	readonly redisPort: number;
	/** The port on which the node listens; 0 for any free port. */
	readonly port: number;
	readonly collectBeatsAbove: number;
}

/** The requests to a node process. */
export type NodeRequest =
	| { readonly do: 'port' }
	/** Blocks the event loop; replies afterwards. */
	| { readonly do: 'stall'; readonly forMs: number }
	/** Replies with the number of the node's clients. */
	| { readonly do: 'clients' }
	/** Closes these clients' connections. Clients are numbered in the order in which they connected. */
	| { readonly do: 'kick'; readonly indexes: readonly number[] }
	/**
	 * Publishes `{by}:{i}` for each `i` below `count`, without waiting. Replies with the number of accepted messages.
	 */
	| { readonly do: 'burst'; readonly topic: string; readonly by: string; readonly count: number }
	/**
	 * Publishes the same text `count` times at once, with the same key. Replies with the number of accepted messages.
	 */
	| {
			readonly do: 'race';
			readonly topic: string;
			readonly text: string;
			readonly key: string | undefined;
			readonly count: number;
	  };
