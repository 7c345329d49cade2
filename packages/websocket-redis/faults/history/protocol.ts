import type { HistoryRules } from '@orijs/websocket';

/** What keeps its messages. The last pattern keeps five, so that whoever is away comes too late. */
export const HISTORY: HistoryRules = {
	'kept:*': { size: 5_000, ttlMs: 600_000 },
	'all:*': { size: 50_000, ttlMs: 600_000, bytes: 64 * 1024 * 1024 },
	'brief:*': { size: 5, ttlMs: 600_000 },
};

/** What a node process is told when it starts. */
export interface HistoryNodeSettings {
	readonly redisPort: number;
	/** Where it listens; 0 for any free port. */
	readonly port: number;
}

/** What a node process can be asked. */
export type HistoryNodeRequest =
	| { readonly do: 'where' }
	/** Answers how many clients it has. */
	| { readonly do: 'clients' }
	/** Closes the connections of the clients at these places, counted from 0 by when they came. */
	| { readonly do: 'kick'; readonly places: readonly number[] }
	/** Publishes so many messages, `{by}:{i}`, in that order and without waiting; answers how many were accepted. */
	| { readonly do: 'burst'; readonly topic: string; readonly by: string; readonly count: number }
	/** Publishes one text so many times at once, with one key; answers how many of the promises resolved. */
	| {
			readonly do: 'race';
			readonly topic: string;
			readonly text: string;
			readonly key: string | undefined;
			readonly count: number;
	  };
