import { mustBeRule, mustBeWhole, TopicRules } from '../support/topic-rules.ts';
import type { HistoryBounds } from './history-store.ts';

/** How much of a topic is kept. The oldest messages are removed as soon as one of these limits is exceeded. */
export interface HistoryRule {
	/** The maximum number of messages, 1 to 100,000. */
	readonly size: number;
	/** How long each message is kept, in milliseconds; at least 1. */
	readonly ttlMs: number;
	/** The maximum size of all messages together, in bytes; at least 1. Default 4 MiB. */
	readonly bytes?: number;
}

/**
 * The topics with history, by pattern. `*` matches any number of characters, and the first matching pattern applies.
 * Must be the same on all nodes.
 */
export type HistoryRules = Readonly<Record<string, HistoryRule>>;

const DEFAULT_BYTES = 4 * 1024 * 1024;
const MAX_MESSAGES = 100_000;
/** A hundred years, in milliseconds. */
const LONGEST_TTL_MS = 100 * 365 * 24 * 60 * 60_000;
const KEYS = ['size', 'ttlMs', 'bytes'];

/** Holds a provider's history rules, and finds the rule that applies to a topic. */
export class HistoryPatterns {
	readonly #rules: TopicRules<HistoryRule, HistoryBounds>;

	/** @throws {InvalidOptionError} */
	constructor(rules: HistoryRules) {
		const example = "{ 'chat:*': { size: 500, ttlMs: 3_600_000 } }";
		this.#rules = new TopicRules(rules, { option: 'history', example, read: readRule });
	}

	get areAny(): boolean {
		return this.#rules.areAny;
	}

	/** Returns how much of a topic is kept; undefined if it has no history. */
	boundsOf(topic: string): HistoryBounds | undefined {
		return this.#rules.of(topic);
	}
}

function readRule(name: string, rule: HistoryRule): HistoryBounds {
	mustBeRule(name, rule, '{ size, ttlMs }', KEYS);
	const { size, ttlMs, bytes = DEFAULT_BYTES } = rule;
	mustBeWhole(`${name}.size`, size, 1, MAX_MESSAGES);
	mustBeWhole(`${name}.ttlMs`, ttlMs, 1, LONGEST_TTL_MS);
	mustBeWhole(`${name}.bytes`, bytes, 1, Number.MAX_SAFE_INTEGER);
	return { size, ttlMs, bytes };
}
