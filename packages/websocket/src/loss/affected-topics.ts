import type { BusLiveness } from '../bus.ts';
import { isTopic } from '../protocol/topic.ts';
import { BROADCAST_CHANNEL, socketOfChannel } from '../wire/channel-names.ts';

/** The channels that this node is subscribed to at the backend, so that their frames arrive. */
export interface LiveChannels {
	live(): Iterable<string>;
	isLive(channel: string): boolean;
}

/** Finds the topics that are affected by a loss on channels or shards of the bus. */
export class AffectedTopics {
	readonly #channels: LiveChannels;
	readonly #liveness: BusLiveness | undefined;

	/** @param liveness undefined if the bus has no liveness: then there is one shard, without heartbeats */
	constructor(channels: LiveChannels, liveness: BusLiveness | undefined) {
		this.#channels = channels;
		this.#liveness = liveness;
	}

	/**
	 * Yields the live topics among `channels`, and `*` if one of them carries messages that are sent directly to
	 * sockets.
	 */
	*on(channels: readonly string[] | 'all'): Generator<string> {
		let toSockets = false;
		for (const channel of channels === 'all' ? this.#channels.live() : channels) {
			if (!isTopic(channel)) toSockets ||= channel === BROADCAST_CHANNEL || socketOfChannel(channel) !== undefined;
			else if (this.#channels.isLive(channel)) yield channel;
		}
		if (toSockets) yield BROADCAST_CHANNEL;
	}

	/** Yields what `on` yields for all live channels of a shard. */
	ofShard(shard: number): Generator<string> {
		return this.on([...this.#channels.live()].filter((channel) => this.shardOf(channel) === shard));
	}

	shardOf(channel: string): number {
		return this.#liveness?.shardOf(channel) ?? 0;
	}

	/** Returns the heartbeat channels, or those among the given channels. */
	heartbeatChannels(among: readonly string[] | 'all' = 'all'): readonly string[] {
		const all = this.#liveness?.heartbeatChannels() ?? [];
		return among === 'all' ? all : all.filter((channel) => among.includes(channel));
	}
}
