import type { BusLiveness } from '../bus.ts';
import type { ChannelInterest } from './channel-interest.ts';

/** Keeps this node subscribed to the heartbeat channel of every shard. Shards change with the backend's topology. */
export class HeartbeatChannels {
	readonly #liveness: BusLiveness;
	readonly #interest: ChannelInterest;
	#subscribed = new Set<string>();

	constructor(liveness: BusLiveness, interest: ChannelInterest) {
		this.#liveness = liveness;
		this.#interest = interest;
	}

	/** Subscribes to those there are. Each promise settles as that of {@link ChannelInterest.subscribe}. */
	start(): Promise<void>[] {
		this.#subscribed = new Set(this.#liveness.heartbeatChannels());
		return Array.from(this.#subscribed, (channel) => this.#interest.subscribe(channel));
	}

	/** Follows the shards. */
	update(): void {
		const channels = this.#liveness.heartbeatChannels();
		for (const channel of channels) {
			if (this.#subscribed.has(channel)) continue;
			this.#subscribed.add(channel);
			// A refusal is reported as for any channel; no beats are published on it then.
			this.#interest.subscribe(channel).catch(() => {});
		}
		for (const channel of this.#subscribed) {
			if (channels.includes(channel)) continue;
			this.#subscribed.delete(channel);
			this.#interest.unsubscribe(channel, 0);
		}
	}
}
