import { InvalidOptionError } from '../errors.ts';
import { show } from './show.ts';
import { TopicPattern } from './topic-pattern.ts';

const PATTERN = /^[A-Za-z0-9_:.*-]{1,256}$/;

/** The maximum number of topics whose rules are cached. */
const MAX_CACHED = 1_000;

export interface TopicRulesOptions<TGiven, TRule> {
	/** The name of the option that holds the rules. */
	readonly option: string;
	/** How the rules may look, for an error message. */
	readonly example: string;
	/** Reads the rule of a pattern. `name` is how to call it in errors. @throws {InvalidOptionError} */
	readonly read: (name: string, given: TGiven) => TRule;
}

/**
 * Holds an option's rules by pattern, and finds the rule that applies to a topic: that of the first matching pattern.
 */
export class TopicRules<TGiven, TRule extends object> {
	readonly #rules: readonly { readonly pattern: TopicPattern; readonly rule: TRule }[];
	readonly #cache = new Map<string, TRule | null>();

	/** @throws {InvalidOptionError} */
	constructor(given: Readonly<Record<string, TGiven>>, { option, example, read }: TopicRulesOptions<TGiven, TRule>) {
		if (typeof given !== 'object' || given === null || Array.isArray(given))
			throw new InvalidOptionError(`${option} must be an object such as ${example}, not ${show(given)}`);
		this.#rules = Object.entries(given).map(([pattern, rule]) => ({
			pattern: parsePattern(option, pattern),
			rule: read(`${option}[${JSON.stringify(pattern)}]`, rule),
		}));
	}

	get areAny(): boolean {
		return this.#rules.length > 0;
	}

	of(topic: string): TRule | undefined {
		const cached = this.#cache.get(topic);
		if (cached !== undefined) return cached ?? undefined;
		const rule = this.#rules.find(({ pattern }) => pattern.matches(topic))?.rule;
		if (this.#cache.size >= MAX_CACHED) this.#cache.clear();
		this.#cache.set(topic, rule ?? null);
		return rule;
	}
}

function parsePattern(option: string, pattern: string): TopicPattern {
	if (PATTERN.test(pattern)) return new TopicPattern(pattern);
	throw new InvalidOptionError(
		`a ${option} pattern is 1 to 256 characters from A-Z a-z 0-9 _ : . - and the wildcard *, not ${show(pattern)}`,
	);
}

/** Checks the option that a rule is. @throws {InvalidOptionError} it is no object, or has an option not in `known` */
export function mustBeRule(name: string, rule: unknown, shape: string, known: readonly string[]): void {
	if (typeof rule !== 'object' || rule === null || Array.isArray(rule))
		throw new InvalidOptionError(`${name} must be an object ${shape}, not ${show(rule)}`);
	const unknown = Object.keys(rule).find((key) => !known.includes(key));
	if (unknown !== undefined)
		throw new InvalidOptionError(`${name} has no option ${show(unknown).slice(1, -1)}, only ${known.join(', ')}`);
}

/** Checks a number of a rule. @throws {InvalidOptionError} it is not a whole number from `least` to `most` */
export function mustBeWhole(name: string, value: unknown, least: number, most: number): void {
	if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return;
	throw new InvalidOptionError(`${name} must be a whole number from ${least} to ${most}, not ${show(value)}`);
}
