import type { Redis } from 'ioredis';

/** The commands for publishing and subscribing on a single server, or on a shard of a cluster. */
export interface PubSubCommands {
	/** The ioredis event for messages, with the channel's name on Redis and the content as buffers. */
	readonly messageEvent: 'messageBuffer' | 'smessageBuffer';
	subscribe(client: Redis, redisChannels: readonly string[]): Promise<unknown>;
	unsubscribe(client: Redis, redisChannels: readonly string[]): Promise<unknown>;
	readonly publish: 'publish' | 'spublish';
	/** Splits channels into groups, each of which fits into one command. */
	group(redisChannels: readonly string[]): readonly (readonly string[])[];
}

/** The maximum number of channels in one command. */
const CHANNELS_PER_COMMAND = 1_000;

export const plainPubSub: PubSubCommands = {
	messageEvent: 'messageBuffer',
	subscribe: (client, redisChannels) => client.subscribe(...redisChannels),
	unsubscribe: (client, redisChannels) => client.unsubscribe(...redisChannels),
	publish: 'publish',
	group: (redisChannels) => chunks(redisChannels),
};

/** Returns the commands for a cluster, with which a message puts load on one shard only. They require Redis 7. */
export function shardedPubSub(slotOf: (redisChannel: string) => number): PubSubCommands {
	return {
		messageEvent: 'smessageBuffer',
		subscribe: (client, redisChannels) => client.ssubscribe(...redisChannels),
		unsubscribe: (client, redisChannels) => client.sunsubscribe(...redisChannels),
		publish: 'spublish',
		// All channels of a command must be in the same slot.
		group(redisChannels) {
			const bySlot = new Map<number, string[]>();
			for (const redisChannel of redisChannels) {
				const slot = slotOf(redisChannel);
				const same = bySlot.get(slot);
				if (same === undefined) bySlot.set(slot, [redisChannel]);
				else same.push(redisChannel);
			}
			return [...bySlot.values()].flatMap((same) => chunks(same));
		},
	};
}

function chunks(redisChannels: readonly string[]): string[][] {
	const result: string[][] = [];
	for (let i = 0; i < redisChannels.length; i += CHANNELS_PER_COMMAND) {
		result.push(redisChannels.slice(i, i + CHANNELS_PER_COMMAND));
	}
	return result;
}
