import { InvalidOptionError } from '../errors.ts';
import { show } from '../support/show.ts';
import { mustBeRule, mustBeWhole, TopicRules } from '../support/topic-rules.ts';

/** How the presence of a topic is kept. */
export interface PresenceRule {
	/**
	 * How long a user stays a member after the last connection has ended, in milliseconds, from 0 to 300,000, so that a
	 * reload or a short loss of the network is neither a leave nor a join. Connections without a user leave at once.
	 * Default 5,000.
	 */
	readonly leaveDelayMs: number;
	/**
	 * What those who watch the topic are sent: who joins, leaves and changes (`members`), how many there are (`count`),
	 * or nothing (`none`), so that it can only be asked. Default `members`.
	 */
	readonly events: PresenceEvents;
	/**
	 * With more members than this, from 0 to 10,000, only their number is told, until there are 10 % fewer. Default
	 * 1,000.
	 */
	readonly membersUpTo: number;
}

export type PresenceEvents = 'members' | 'count' | 'none';

/**
 * The topics whose presence is kept, by pattern. `*` matches any number of characters, and the first matching pattern
 * applies. Must be the same on all nodes.
 */
export type PresenceRules = Readonly<Record<string, Partial<PresenceRule>>>;

const DEFAULTS: PresenceRule = { leaveDelayMs: 5_000, events: 'members', membersUpTo: 1_000 };
const LONGEST_LEAVE_DELAY_MS = 300_000;
const MOST_MEMBERS = 10_000;
const EVENTS: readonly PresenceEvents[] = ['members', 'count', 'none'];

/** Holds a provider's presence rules, and finds the rule that applies to a topic. */
export class PresencePatterns {
	readonly #rules: TopicRules<Partial<PresenceRule>, PresenceRule>;

	/** @throws {InvalidOptionError} */
	constructor(rules: PresenceRules) {
		const example = "{ 'room:*': { leaveDelayMs: 5_000 } }";
		this.#rules = new TopicRules(rules, { option: 'presence', example, read: readRule });
	}

	get areAny(): boolean {
		return this.#rules.areAny;
	}

	/** Returns how a topic's presence is kept; undefined if it is not. */
	ruleOf(topic: string): PresenceRule | undefined {
		return this.#rules.of(topic);
	}
}

function readRule(name: string, given: Partial<PresenceRule>): PresenceRule {
	mustBeRule(name, given, '{ leaveDelayMs, events, membersUpTo }', Object.keys(DEFAULTS));
	const { leaveDelayMs = DEFAULTS.leaveDelayMs, events = DEFAULTS.events, membersUpTo = DEFAULTS.membersUpTo } = given;
	mustBeWhole(`${name}.leaveDelayMs`, leaveDelayMs, 0, LONGEST_LEAVE_DELAY_MS);
	mustBeWhole(`${name}.membersUpTo`, membersUpTo, 0, MOST_MEMBERS);
	if (EVENTS.includes(events)) return { leaveDelayMs, events, membersUpTo };
	throw new InvalidOptionError(`${name}.events must be 'members', 'count' or 'none', not ${show(events)}`);
}
