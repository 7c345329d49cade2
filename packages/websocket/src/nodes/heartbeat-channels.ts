import type { BusLiveness } from '../bus.ts';
import type { ChannelInterest } from './channel-interest.ts';

/** Keeps this node subscribed to the heartbeat channels of all shards, which change with the backend's topology. */
export class HeartbeatChannels {
	readonly #liveness: BusLiveness;
	readonly #interest: ChannelInterest;
	#subscribed = new Set<string>();

	constructor(liveness: BusLiveness, interest: ChannelInterest) {
		this.#liveness = liveness;
		this.#interest = interest;
	}

	/** Subscribes to all heartbeat channels. Returns the promises of {@link ChannelInterest.subscribe}. */
	start(): Promise<void>[] {
		this.#subscribed = new Set(this.#liveness.heartbeatChannels());
		return Array.from(this.#subscribed, (channel) => this.#interest.subscribe(channel));
	}

	/** Subscribes to the channels of new shards, and unsubscribes from those of former ones. */
	update(): void {
		const channels = this.#liveness.heartbeatChannels();
		for (const channel of channels) {
			if (this.#subscribed.has(channel)) continue;
			this.#subscribed.add(channel);
			// A refusal is reported like that of any other channel. No beats are published on a refused channel.
			this.#interest.subscribe(channel).catch(() => {});
		}
		for (const channel of this.#subscribed) {
			if (channels.includes(channel)) continue;
			this.#subscribed.delete(channel);
			this.#interest.unsubscribe(channel, 0);
		}
	}
}
