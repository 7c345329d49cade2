import type { Deliveries, Violation } from './counts.ts';
import type { Channel, Delivery, Published, Receiver, Subscription } from './records.ts';

/** The messages of a run, by channel and by number. */
export class PublishedMessages {
	readonly #byChannel = new Map<Channel, Published[]>();
	readonly #byNumber = new Map<string, Published>();

	constructor(published: readonly Published[]) {
		for (const message of published) {
			const others = this.#byChannel.get(message.channel);
			if (others === undefined) this.#byChannel.set(message.channel, [message]);
			else others.push(message);
			this.#byNumber.set(keyOf(message), message);
		}
	}

	on(channel: Channel): readonly Published[] {
		return this.#byChannel.get(channel) ?? [];
	}

	/** Undefined if no node published it. */
	of(delivery: Delivery): Published | undefined {
		return this.#byNumber.get(keyOf(delivery));
	}

	deliveriesTo(receiver: Receiver): Deliveries {
		const messages = new Set<Published>();
		const ghosts: Violation[] = [];
		const subscriptions = new Map(receiver.subscriptions.map((each) => [each.id, each]));
		for (const delivery of receiver.deliveries) {
			const message = this.of(delivery);
			const detail =
				message === undefined ? 'it was never published' : ghostly(delivery, message, receiver, subscriptions);
			if (detail !== undefined)
				ghosts.push({ kind: 'ghost', at: delivery.at, receiver: receiver.name, message, detail });
			else if (message !== undefined) messages.add(message);
		}
		return { messages, ghosts };
	}

	/** Messages of one position: everybody must have got the same there. */
	disagreements(receivers: readonly Receiver[]): Violation[] {
		const violations: Violation[] = [];
		const first = new Map<string, string>();
		for (const { name, deliveries } of receivers) {
			for (const delivery of deliveries) {
				if (delivery.position === undefined) continue;
				const { epoch, offset } = delivery.position;
				const place = `${delivery.channel} ${epoch} ${offset}`;
				const other = first.get(place);
				if (other === undefined) first.set(place, keyOf(delivery));
				else if (other !== keyOf(delivery)) {
					const detail = `another receiver got ${other} at its position, ${epoch} ${offset}`;
					violations.push({ kind: 'inversion', at: delivery.at, receiver: name, message: this.of(delivery), detail });
				}
			}
		}
		return violations;
	}
}

function keyOf({ by, channel, n }: { readonly by: string; readonly channel: Channel; readonly n: number }): string {
	return `${by} ${channel} ${n}`;
}

/** Says why a delivery must not have happened; undefined if it may. */
function ghostly(
	{ at, subscription: id, channel }: Delivery,
	{ socketId }: Published,
	{ name, subscriptions }: Receiver,
	byId: ReadonlyMap<number, Subscription>,
): string | undefined {
	if (id !== undefined) {
		const subscription = byId.get(id);
		if (subscription === undefined || at < subscription.requested) return 'it came before the subscription';
		return at > subscription.ended ? 'a listener was called after the subscription was given up' : undefined;
	}
	const of = subscriptions.filter((each) => each.channel === channel);
	if (channel.startsWith('@') && !of.some((each) => each.socketId === socketId)) return `it was not sent to ${name}`;
	if (of.some(({ requested, gone }) => requested <= at && at <= gone)) return undefined;
	return of.length === 0 ? 'there was no subscription' : 'it came after the subscription had ended';
}
