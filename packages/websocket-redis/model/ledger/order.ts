import type { Violation } from './counts.ts';
import type { PublishedMessages } from './published-messages.ts';
import type { Delivery, Receiver } from './records.ts';

/** Returns what a receiver got twice, or after a later message. */
export function countOrder({ name, deliveries }: Receiver, messages: PublishedMessages): Violation[] {
	const violations: Violation[] = [];
	const streams = new Map<string, { readonly seen: Set<number>; highest: number }>();
	/** The last offset by channel and epoch. */
	const offsets = new Map<string, number>();
	for (const delivery of deliveries) {
		const { by, channel, n } = delivery;
		const key = `${by} ${channel}`;
		const stream = streams.get(key) ?? { seen: new Set<number>(), highest: -1 };
		streams.set(key, stream);
		const add = (kind: Violation['kind'], detail: string): void => {
			violations.push({ kind, at: delivery.at, receiver: name, message: messages.of(delivery), detail });
		};
		if (stream.seen.has(n)) add('duplicate', `the latest of ${by} was ${stream.highest}`);
		else if (n < stream.highest) add('inversion', `it came after ${stream.highest} of ${by}`);
		else if (!followsInHistory(delivery, offsets)) add('inversion', 'it came after a later one of its history');
		stream.seen.add(n);
		stream.highest = Math.max(stream.highest, n);
	}
	return violations;
}

function followsInHistory({ channel, position }: Delivery, offsets: Map<string, number>): boolean {
	if (position === undefined) return true;
	const key = `${channel} ${position.epoch}`;
	const last = offsets.get(key) ?? -Infinity;
	offsets.set(key, Math.max(last, position.offset));
	return position.offset > last;
}
