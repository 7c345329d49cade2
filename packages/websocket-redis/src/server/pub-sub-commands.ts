import type { Redis } from 'ioredis';

/** How a server is asked to publish and subscribe: to all of it, or, on a cluster, to one shard. */
export interface PubSubCommands {
	/** The event by which ioredis hands out messages, as buffers of channel and content. */
	readonly messageEvent: 'messageBuffer' | 'smessageBuffer';
	subscribe(client: Redis, channels: readonly string[]): Promise<unknown>;
	unsubscribe(client: Redis, channels: readonly string[]): Promise<unknown>;
	readonly publish: 'publish' | 'spublish';
	/** Puts channels into groups that one command may name. */
	group(channels: readonly string[]): readonly (readonly string[])[];
}

/** How many channels one command names at most. */
const CHANNELS_PER_COMMAND = 1_000;

export const plainPubSub: PubSubCommands = {
	messageEvent: 'messageBuffer',
	subscribe: (client, channels) => client.subscribe(...channels),
	unsubscribe: (client, channels) => client.unsubscribe(...channels),
	publish: 'publish',
	group: (channels) => chunks(channels),
};

/** On a cluster a message then costs one shard, not every node. Needs Redis 7. */
export function shardedPubSub(slotOf: (channel: string) => number): PubSubCommands {
	return {
		messageEvent: 'smessageBuffer',
		subscribe: (client, channels) => client.ssubscribe(...channels),
		unsubscribe: (client, channels) => client.sunsubscribe(...channels),
		publish: 'spublish',
		// One command names channels of one slot only.
		group(channels) {
			const bySlot = new Map<number, string[]>();
			for (const channel of channels) {
				const slot = slotOf(channel);
				const same = bySlot.get(slot);
				if (same === undefined) bySlot.set(slot, [channel]);
				else same.push(channel);
			}
			return [...bySlot.values()].flatMap((same) => chunks(same));
		},
	};
}

function chunks(channels: readonly string[]): string[][] {
	const result: string[][] = [];
	for (let i = 0; i < channels.length; i += CHANNELS_PER_COMMAND) {
		result.push(channels.slice(i, i + CHANNELS_PER_COMMAND));
	}
	return result;
}
