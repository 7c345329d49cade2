import { InvalidOptionError } from '../errors.ts';
import { show } from '../support/show.ts';
import type { HistoryBounds } from './history-store.ts';
import { TopicPattern } from './topic-pattern.ts';

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
const PATTERN = /^[A-Za-z0-9_:.*-]{1,256}$/;
const KEYS = ['size', 'ttlMs', 'bytes'];

/** The maximum number of topics whose bounds are cached. */
const MAX_CACHED = 1_000;

/** Holds a provider's history rules, and finds the rule that applies to a topic. */
export class HistoryPatterns {
	readonly #rules: readonly { readonly pattern: TopicPattern; readonly bounds: HistoryBounds }[];
	readonly #cache = new Map<string, HistoryBounds | null>();

	/** @throws {InvalidOptionError} */
	constructor(rules: HistoryRules) {
		if (typeof rules !== 'object' || rules === null || Array.isArray(rules))
			throw new InvalidOptionError(
				`history must be an object such as { 'chat:*': { size: 500, ttlMs: 3_600_000 } }, not ${show(rules)}`,
			);
		this.#rules = Object.entries(rules).map(([pattern, rule]) => ({
			pattern: parsePattern(pattern),
			bounds: boundsOf(pattern, rule),
		}));
	}

	get areAny(): boolean {
		return this.#rules.length > 0;
	}

	/** Returns how much of a topic is kept; undefined if it has no history. */
	boundsOf(topic: string): HistoryBounds | undefined {
		const cached = this.#cache.get(topic);
		if (cached !== undefined) return cached ?? undefined;
		const bounds = this.#rules.find(({ pattern }) => pattern.matches(topic))?.bounds;
		if (this.#cache.size >= MAX_CACHED) this.#cache.clear();
		this.#cache.set(topic, bounds ?? null);
		return bounds;
	}
}

function parsePattern(pattern: string): TopicPattern {
	if (!PATTERN.test(pattern))
		throw new InvalidOptionError(
			`a history pattern is 1 to 256 characters from A-Z a-z 0-9 _ : . - and the wildcard *, not ${show(pattern)}`,
		);
	return new TopicPattern(pattern);
}

function boundsOf(pattern: string, rule: HistoryRule): HistoryBounds {
	const name = `history[${JSON.stringify(pattern)}]`;
	if (typeof rule !== 'object' || rule === null)
		throw new InvalidOptionError(`${name} must be an object { size, ttlMs }, not ${show(rule)}`);
	const unknown = Object.keys(rule).find((key) => !KEYS.includes(key));
	if (unknown !== undefined) throw new InvalidOptionError(`${name} has no option ${unknown}, only ${KEYS.join(', ')}`);
	const { size, ttlMs, bytes = DEFAULT_BYTES } = rule;
	mustBeCount(`${name}.size`, size, MAX_MESSAGES);
	mustBeCount(`${name}.ttlMs`, ttlMs, LONGEST_TTL_MS);
	mustBeCount(`${name}.bytes`, bytes, Number.MAX_SAFE_INTEGER);
	return { size, ttlMs, bytes };
}

/** A hundred years, in milliseconds. */
const LONGEST_TTL_MS = 100 * 365 * 24 * 60 * 60_000;

function mustBeCount(name: string, value: number, most: number): void {
	if (Number.isSafeInteger(value) && value >= 1 && value <= most) return;
	throw new InvalidOptionError(`${name} must be a whole number from 1 to ${most}, not ${show(value)}`);
}
