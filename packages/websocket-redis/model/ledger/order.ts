import type { Violation } from './counts.ts';
import type { PublishedMessages } from './published-messages.ts';
import type { Delivery, Receiver, ToldGap } from './records.ts';

/** A node reports a gap this much before its socket may get the last message from before it, in milliseconds. */
const GAP_SLACK_MS = 1_000;

/** Returns what a receiver got twice, or after a later message. */
export function countOrder(
	{ name, deliveries, gaps, unrecovered = [] }: Receiver,
	messages: PublishedMessages,
): Violation[] {
	const violations: Violation[] = [];
	const streams = new Map<string, { readonly seen: Map<number, Delivery>; highest: number }>();
	const histories = new HistoryOrder([...gaps, ...unrecovered]);
	for (const delivery of deliveries) {
		const { by, channel, n, connection, position, subscription } = delivery;
		// A client may get a plain message again from the node that it comes to, if that receives it later. With history,
		// its position prevents that; but the position is discarded with the subscription.
		const within = position === undefined ? connection : `subscription ${subscription}`;
		const key = `${by} ${channel} ${within}`;
		const stream = streams.get(key) ?? { seen: new Map<number, Delivery>(), highest: -1 };
		streams.set(key, stream);
		const add = (kind: Violation['kind'], detail: string): void => {
			violations.push({ kind, at: delivery.at, receiver: name, message: messages.of(delivery), detail });
		};
		const follows = histories.follows(delivery);
		const first = stream.seen.get(n);
		if (first !== undefined) add('duplicate', cameBefore(first, delivery));
		else if (n < stream.highest) add('inversion', `it came after ${stream.highest} of ${by}`);
		else if (!follows) add('inversion', 'it came after a later one of its history');
		stream.seen.set(n, delivery);
		stream.highest = Math.max(stream.highest, n);
	}
	return violations;
}

function cameBefore(first: Delivery, { at, connection }: Delivery): string {
	const over = first.connection === connection ? 'the same' : 'another';
	return `it had come ${Math.round(at - first.at)} ms before, over ${over} connection`;
}

/**
 * The positions of topics with history, which grow within an epoch. They may go back where a loss was told: a server
 * that lost its latest messages, or another copy of it, goes on from an earlier position.
 */
class HistoryOrder {
	/** When losses were told, by channel. */
	readonly #told = new Map<string, number[]>();
	/** The last position by channel, subscription and epoch. */
	readonly #last = new Map<string, { readonly offset: number; readonly at: number }>();

	constructor(losses: readonly Pick<ToldGap, 'topic' | 'at'>[]) {
		for (const { topic, at } of losses) this.#told.set(topic, [...(this.#told.get(topic) ?? []), at]);
	}

	follows({ channel, subscription, position, at }: Delivery): boolean {
		if (position === undefined) return true;
		const key = `${channel} ${subscription} ${position.epoch}`;
		const last = this.#last.get(key);
		this.#last.set(key, { offset: position.offset, at });
		if (last === undefined || position.offset > last.offset) return true;
		return (this.#told.get(channel) ?? []).some((told) => last.at - GAP_SLACK_MS <= told && told <= at);
	}
}
