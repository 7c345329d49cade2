import type { PresenceMember, PresenceRules } from '@orijs/websocket';
import type { NodeConnection } from '../node/protocol.ts';
import { LEAVE_DELAY_MS } from './stated-times.ts';

/** The settings of a node process: JSON in its environment variable `PRESENCE_NODE`. */
export interface NodeSettings {
	readonly connection: NodeConnection;
	readonly port: number;
	readonly collectBeatsAbove: number;
	/** The topics that the process follows by `onChange`. */
	readonly listensTo: readonly string[];
}

export type NodeRequest =
	/** Replies once it listens. */
	| { readonly do: 'start' }
	/** Replies with all members of a topic, page by page, or the name of the error. */
	| { readonly do: 'members'; readonly topic: string }
	/** Replies with what its listeners know: {@link Listened}. */
	| { readonly do: 'listened' }
	/** Replies with what it has logged at `warn` and `error`, and what was not handled. */
	| { readonly do: 'logs' };

export interface NodeMembers {
	readonly members: readonly PresenceMember[];
	/** That of the pages. */
	readonly count: number;
	/** That of `count()`. */
	readonly counted: number;
	readonly isStale: boolean;
}

/** The keys of each topic's members, as the changes say, and changes that say what was known before. */
export interface Listened {
	readonly keys: ReadonlyMap<string, readonly string[]>;
	readonly doubled: readonly string[];
}

export interface NodeLogs {
	readonly lines: readonly string[];
	readonly failures: readonly string[];
}

/** The rules of the harness's topics. */
export const PRESENCE: PresenceRules = {
	'room:*': { leaveDelayMs: LEAVE_DELAY_MS },
	'desk:*': { leaveDelayMs: 0 },
	'storm:*': { leaveDelayMs: LEAVE_DELAY_MS, membersUpTo: 10_000 },
	'crowd:*': { leaveDelayMs: LEAVE_DELAY_MS },
	'hall:*': { leaveDelayMs: LEAVE_DELAY_MS, events: 'count' },
};

export function leaveDelayOf(topic: string): number {
	return topic.startsWith('desk:') ? 0 : LEAVE_DELAY_MS;
}

/** The topics that clients choose from. */
export const TOPICS: readonly string[] = ['room:0', 'room:1', 'room:2', 'room:3', 'desk:0', 'desk:1', 'hall:0'];
