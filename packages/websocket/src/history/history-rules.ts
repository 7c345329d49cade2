import { InvalidOptionError } from '../errors.ts';
import { show } from '../protocol/show.ts';
import type { HistoryBounds } from './history-store.ts';
import { TopicPattern } from './topic-pattern.ts';

/** How much of a topic is kept; what exceeds one of these is let go, the oldest first. */
export interface HistoryRule {
	/** How many messages, 1 to 100,000. */
	readonly size: number;
	/** How long each is kept, in milliseconds, from 1. */
	readonly ttlMs: number;
	/** How many bytes in all, from 1. Default 4 MiB. */
	readonly bytes?: number;
}

/**
 * Which topics keep their messages: by pattern, where `*` stands for any characters, or none; the first that fits counts. All nodes need
 * the same ones.
 */
export type HistoryRules = Readonly<Record<string, HistoryRule>>;

const DEFAULT_BYTES = 4 * 1024 * 1024;
const MOST_MESSAGES = 100_000;
const PATTERN = /^[A-Za-z0-9_:.*-]{1,256}$/;
const KEYS = ['size', 'ttlMs', 'bytes'];

/** The answers for that many topics are remembered. */
const MOST_KNOWN = 10_000;

/** Tells which topics have history. */
export class HistoryPatterns {
	readonly #rules: readonly { readonly pattern: TopicPattern; readonly bounds: HistoryBounds }[];
	readonly #known = new Map<string, HistoryBounds | null>();

	/** @throws {InvalidOptionError} */
	constructor(rules: HistoryRules) {
		if (typeof rules !== 'object' || rules === null || Array.isArray(rules))
			throw new InvalidOptionError(
				`history must be an object such as { 'chat:*': { size: 500, ttlMs: 3_600_000 } }, not ${show(rules)}`,
			);
		this.#rules = Object.entries(rules).map(([pattern, rule]) => ({
			pattern: parsed(pattern),
			bounds: boundsOf(pattern, rule),
		}));
	}

	get areAny(): boolean {
		return this.#rules.length > 0;
	}

	/** How much of the topic is kept; undefined if it has no history. */
	boundsOf(topic: string): HistoryBounds | undefined {
		const known = this.#known.get(topic);
		if (known !== undefined) return known ?? undefined;
		const bounds = this.#rules.find(({ pattern }) => pattern.fits(topic))?.bounds;
		if (this.#known.size >= MOST_KNOWN) this.#known.clear();
		this.#known.set(topic, bounds ?? null);
		return bounds;
	}
}

function parsed(pattern: string): TopicPattern {
	if (!PATTERN.test(pattern))
		throw new InvalidOptionError(
			`a pattern in history is 1 to 256 characters from A-Z a-z 0-9 _ : . - and * for any, not ${show(pattern)}`,
		);
	return new TopicPattern(pattern);
}

function boundsOf(pattern: string, rule: HistoryRule): HistoryBounds {
	const name = `history[${JSON.stringify(pattern)}]`;
	if (typeof rule !== 'object' || rule === null)
		throw new InvalidOptionError(`${name} must be an object { size, ttlMs }, not ${show(rule)}`);
	const unknown = Object.keys(rule).find((key) => !KEYS.includes(key));
	if (unknown !== undefined) throw new InvalidOptionError(`${name} has no ${unknown}, only ${KEYS.join(', ')}`);
	const { size, ttlMs, bytes = DEFAULT_BYTES } = rule;
	mustBeCount(`${name}.size`, size, MOST_MESSAGES);
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
