import type { HistoryRules, PresenceRule } from '@orijs/websocket';

/** The nodes, in the order in which groups of clients are connected to them. */
export const NODES = ['a', 'b', 'c'] as const;
export type NodeName = (typeof NODES)[number];

/** The topics with history. `brief:*` keeps so little that a client that was away often can't recover. */
export const HISTORY: HistoryRules = {
	'kept:*': { size: 5_000, ttlMs: 600_000 },
	'brief:*': { size: 30, ttlMs: 600_000 },
};

/** The topics whose members are known, all of which clients choose themselves. */
export const PRESENCE: Readonly<Record<string, Partial<PresenceRule>>> = {
	'plain:2': { leaveDelayMs: 3_000 },
	'plain:3': { leaveDelayMs: 0 },
	'plain:4': { leaveDelayMs: 3_000 },
};

export function keepsPresence(topic: string): boolean {
	return topic in PRESENCE;
}

/** The user of a client; undefined for every fourth, which has none. */
export function userOf(client: string): string | undefined {
	return Number(client.slice(1)) % 4 === 0 ? undefined : client;
}

/**
 * The number of nodes above which beats are collected, by the seed: never, while there are three nodes, or always.
 */
export function collectBeatsAbove(seed: number): number {
	return [32, 2, 1][seed % 3] as number;
}

export function hasHistory(channel: string): boolean {
	return channel.startsWith('kept:') || channel.startsWith('brief:');
}

/** All topics. */
export const TOPICS = [
	'plain:0',
	'plain:1',
	'plain:2',
	'plain:3',
	'plain:4',
	'kept:0',
	'kept:1',
	'kept:2',
	'brief:0',
] as const;
/** The topics to which the server subscribes every client, on each of its connections. */
export const GIVEN_TOPICS = ['given:0', 'kept:given'] as const;
export function isGiven(topic: string): boolean {
	return GIVEN_TOPICS.some((given) => given === topic);
}
/** The topics of each node's own socket, by which its losses are counted. The others have clients that come and go. */
export const WITNESS_TOPICS = ['plain:0', 'plain:1', 'kept:0', 'brief:0'] as const;
/** The topics that a lasting client never leaves. */
export function lastingTopics(client: number): string[] {
	return ['plain:0', 'kept:0', client % 2 === 0 ? 'plain:1' : 'plain:2', client % 3 === 0 ? 'brief:0' : 'kept:1'];
}

/** Lasting clients of each node. */
export const CLIENTS_PER_NODE = 8;
/** Clients of each node that come and go: as many at once. */
export const VISITORS_PER_NODE = 2;

/** What each node publishes, per second. */
export const TOPIC_MESSAGES = 60;
export const BROADCASTS = 2;
export const DIRECT_MESSAGES = 4;
