import type { ClientEntry } from '../clients/protocol.ts';
import type { Delivery, Receiver, Subscription, ToldGap } from './records.ts';

/**
 * Who leaves does not learn of what was on its way, nor of a loss that is only being noticed: messages of the last
 * milliseconds before a receiver leaves are not expected. A node can be frozen for nine seconds, and a silent one is
 * noticed after ten without an interruption.
 */
export const LEAVING_MS = 60_000;

type Open = { -readonly [K in keyof Subscription]: Subscription[K] };

/**
 * Returns what the clients got and were told.
 *
 * @param endAt when the run was over: what ends later was there until the end
 */
export function clientReceivers(entries: readonly ClientEntry[], endAt: number): Receiver[] {
	const clients = new Map<string, ClientRecord>();
	for (const entry of entries) {
		if (entry.do === 'failure' || entry.do === 'members' || entry.do === 'unwatched') continue;
		let client = clients.get(entry.client);
		if (client === undefined) clients.set(entry.client, (client = new ClientRecord(entry.client, endAt)));
		client.add(entry);
	}
	return [...clients.values()];
}

class ClientRecord implements Receiver {
	readonly kind = 'client';
	readonly name: string;
	readonly deliveries: Delivery[] = [];
	readonly gaps: ToldGap[] = [];
	readonly unrecovered: { readonly at: number; readonly topic: string }[] = [];
	readonly #endAt: number;
	readonly #subscriptions = new Map<number, Open>();
	/** When the present connection was lost; Infinity while there is one. */
	#lostAt = -Infinity;
	/** The number of connections that were lost so far. */
	#connections = 0;
	/** Subscriptions that stand for what needs none: broadcasts, and messages to each of the client's connections. */
	#implied = 0;

	constructor(name: string, endAt: number) {
		this.name = name;
		this.#endAt = endAt;
	}

	get subscriptions(): Subscription[] {
		return [...this.#subscriptions.values()];
	}

	add(entry: ClientEntry): void {
		const { at } = entry;
		switch (entry.do) {
			case 'ready':
				if (this.#implied === 0) this.#imply('*', at);
				this.#imply(`@${this.name}`, at, entry.socketId);
				this.#lostAt = Infinity;
				return;
			case 'lost': {
				// What the next connection brings before the client is ready belongs to it.
				this.#connections++;
				this.#lostAt = at;
				const direct = this.#subscriptions.get(-this.#implied);
				if (direct !== undefined) direct.until = Math.min(direct.until, at);
				return;
			}
			case 'subscribe':
				this.#open({ id: entry.id, channel: entry.channel, requested: at, from: Infinity });
				return;
			case 'subscribed':
				this.#of(entry.id).from = at;
				return;
			case 'unsubscribe': {
				const subscription = this.#of(entry.id);
				this.#leave(subscription, at);
				subscription.ended = at;
				return;
			}
			case 'unsubscribed':
				this.#of(entry.id).gone = at;
				return;
			case 'closing':
				for (const each of this.#subscriptions.values()) this.#leave(each, at);
				return;
			case 'closed':
				for (const each of this.#subscriptions.values()) {
					each.ended = Math.min(each.ended, at);
					each.gone = Math.min(each.gone, at);
				}
				return;
			case 'delivery': {
				const { channel, by, n, subscription, position } = entry;
				this.deliveries.push({ at, channel, by, n, connection: this.#connections, subscription, position });
				return;
			}
			case 'gap':
				this.gaps.push({ at, topic: entry.topic, since: entry.since, until: entry.until });
				return;
			case 'recovered':
				if (!entry.recovered) this.unrecovered.push({ at, topic: entry.channel });
				return;
			default:
		}
	}

	#imply(channel: string, from: number, socketId?: string): void {
		this.#open({ id: -++this.#implied, channel, socketId, requested: -Infinity, from });
	}

	#open(subscription: Pick<Subscription, 'id' | 'channel' | 'socketId' | 'requested' | 'from'>): void {
		this.#subscriptions.set(subscription.id, { ...subscription, until: Infinity, ended: Infinity, gone: Infinity });
	}

	#of(id: number): Open {
		const subscription = this.#subscriptions.get(id);
		if (subscription === undefined) throw new Error(`${this.name} has no subscription ${id}`);
		return subscription;
	}

	/** A client that leaves while it is not connected has learned nothing since it was. */
	#leave(subscription: Open, at: number): void {
		if (at >= this.#endAt) return;
		subscription.until = Math.min(subscription.until, Math.min(at, this.#lostAt) - LEAVING_MS);
	}
}
