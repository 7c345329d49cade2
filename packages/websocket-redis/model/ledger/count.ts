import { hasHistory } from '../settings.ts';
import { type Deliveries, type Losses, noLosses, type Violation } from './counts.ts';
import { countOrder } from './order.ts';
import { PublishedMessages } from './published-messages.ts';
import type { Ledger, Published, Receiver, Subscription, ToldGap } from './records.ts';

/**
 * The clocks of two processes are compared by readings a moment apart: what is published this soon after a
 * subscription was confirmed may have been published before, in milliseconds.
 */
const CLOCK_SLACK_MS = 5;
/**
 * How long after a message was published its loss has to be told, in milliseconds: faults may follow each other.
 */
const TOLD_WITHIN_MS = 60_000;

export interface Counts {
	readonly clients: Losses;
	readonly nodes: Losses;
	readonly duplicates: number;
	readonly inversions: number;
	readonly ghosts: number;
	/** Every one that was counted, in the order of time. */
	readonly violations: readonly Violation[];
}

/** Counts a run. A pure function of its record. */
export function count({ published, receivers }: Ledger): Counts {
	const messages = new PublishedMessages(published);
	const deliveries = receivers.map((receiver) => messages.deliveriesTo(receiver));
	const delivered = new Set(deliveries.flatMap(({ messages: each }) => [...each]));
	const losses = { client: noLosses(), node: noLosses() };
	const violations: Violation[] = [];
	receivers.forEach((receiver, i) => {
		const got = deliveries[i] as Deliveries;
		violations.push(...got.ghosts, ...countOrder(receiver, messages));
		for (const subscription of receiver.subscriptions) {
			violations.push(...countLosses({ receiver, subscription, messages, got, delivered }, losses[receiver.kind]));
		}
	});
	violations.push(...messages.disagreements(receivers));
	const ofKind = (kind: Violation['kind']): number => violations.filter((each) => each.kind === kind).length;
	return {
		clients: losses.client,
		nodes: losses.node,
		duplicates: ofKind('duplicate'),
		inversions: ofKind('inversion'),
		ghosts: ofKind('ghost'),
		violations: violations.toSorted((a, b) => a.at - b.at),
	};
}

interface Expected {
	readonly receiver: Receiver;
	readonly subscription: Subscription;
	readonly messages: PublishedMessages;
	readonly got: Deliveries;
	/** Delivered to anybody. */
	readonly delivered: ReadonlySet<Published>;
}

/** Adds to the losses, and returns the silent ones. */
function countLosses({ receiver, subscription, messages, got, delivered }: Expected, losses: Losses): Violation[] {
	const silent: Violation[] = [];
	const gaps = receiver.gaps.filter(({ topic }) => topic === gapTopicOf(subscription.channel));
	for (const message of messages.on(subscription.channel)) {
		if (!isExpected(message, subscription, receiver, delivered)) continue;
		losses.expected++;
		if (got.messages.has(message)) continue;
		losses.missing++;
		if (isTold(message, gaps)) continue;
		losses.silent++;
		silent.push({ kind: 'silent loss', at: message.at, receiver: receiver.name, message });
	}
	return silent;
}

function isExpected(
	message: Published,
	{ channel, socketId, from, until }: Subscription,
	{ kind, name }: Receiver,
	delivered: ReadonlySet<Published>,
): boolean {
	if (message.at < from + CLOCK_SLACK_MS || message.at > until) return false;
	if (socketId !== undefined && message.socketId !== socketId) return false;
	if (message.outcome === 'refused' || message.outcome === 'stored elsewhere') return false;
	// A node does not lose its own messages on the way between nodes.
	if (kind === 'node' && message.by === name) return false;
	// Where a publish to a history rejects, no client gets the message, or all do.
	return !hasHistory(channel) || message.outcome === 'accepted' || delivered.has(message);
}

/**
 * Only a gap counts that was told after the message was published, and not much later. Where a clock is ahead or
 * behind, gaps reach hours into the future and the past: so far, they say nothing of this loss.
 */
function isTold({ at, stamps }: Published, gaps: readonly ToldGap[]): boolean {
	return gaps.some((gap) => {
		const isInTime = at <= gap.at && gap.at <= at + TOLD_WITHIN_MS;
		return isInTime && stamps.some((stamp) => gap.since <= stamp && stamp <= gap.until);
	});
}

/** The topic of the gap that tells of a loss on this channel: `*` for what belongs to no topic. */
export function gapTopicOf(channel: string): string {
	return channel.startsWith('@') ? '*' : channel;
}
