import type { BusLiveness } from '../bus.ts';
import { quiet } from '../support/promises.ts';
import type { ChannelInterest } from './channel-interest.ts';

/**
 * Keeps this node subscribed to the heartbeat channels of all shards, and to its own channel on each, over which its
 * beats come back if they are collected. The shards change with the backend's topology.
 */
export class HeartbeatChannels {
	readonly #liveness: BusLiveness;
	readonly #interest: ChannelInterest;
	readonly #origin: number;
	/** The subscribed heartbeat channels, each with this node's own channel of that shard, if there is one. */
	readonly #subscribed = new Map<string, string | undefined>();
	/** The heartbeat channels, by the own channels. */
	readonly #byOwn = new Map<string, string>();

	/** @param origin this node */
	constructor(liveness: BusLiveness, interest: ChannelInterest, origin: number) {
		this.#liveness = liveness;
		this.#interest = interest;
		this.#origin = origin;
	}

	/** Subscribes to all channels. Returns the promises of {@link ChannelInterest.subscribe} for heartbeat channels. */
	start(): Promise<void>[] {
		this.#subscribed.clear();
		this.#byOwn.clear();
		return this.#liveness.heartbeatChannels().map((channel) => this.#subscribe(channel));
	}

	/** Subscribes to the channels of new shards, and unsubscribes from those of shards that no longer exist. */
	update(): void {
		const channels = this.#liveness.heartbeatChannels();
		for (const channel of channels) {
			// A refusal is reported like that of any other channel. No beats are published on a refused channel.
			if (!this.#subscribed.has(channel)) void quiet(this.#subscribe(channel));
			else if (this.#subscribed.get(channel) === undefined) this.#subscribeOwn(channel);
		}
		for (const [channel, own] of this.#subscribed) {
			if (channels.includes(channel)) continue;
			this.#subscribed.delete(channel);
			this.#interest.unsubscribe(channel, 0);
			if (own === undefined) continue;
			this.#byOwn.delete(own);
			this.#interest.unsubscribe(own, 0);
		}
	}

	/** Returns the heartbeat channel of the shard whose beats arrive on a channel. */
	sharedOf(channel: string): string {
		return this.#byOwn.get(channel) ?? channel;
	}

	#subscribe(channel: string): Promise<void> {
		this.#subscribed.set(channel, undefined);
		const subscribing = this.#interest.subscribe(channel);
		this.#subscribeOwn(channel);
		return subscribing;
	}

	#subscribeOwn(channel: string): void {
		const own = this.#liveness.beats?.ownChannel(channel, this.#origin);
		if (own === undefined) return;
		this.#subscribed.set(channel, own);
		this.#byOwn.set(own, channel);
		void quiet(this.#interest.subscribe(own));
	}
}
