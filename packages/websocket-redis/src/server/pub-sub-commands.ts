import type { Redis } from 'ioredis';

/** The commands to publish and subscribe with: on a server, or on one shard of a cluster. */
export interface PubSubCommands {
	/** The ioredis event for messages, with buffers of the channel's name on Redis and the content. */
	readonly messageEvent: 'messageBuffer' | 'smessageBuffer';
	subscribe(client: Redis, redisChannels: readonly string[]): Promise<unknown>;
	unsubscribe(client: Redis, redisChannels: readonly string[]): Promise<unknown>;
	readonly publish: 'publish' | 'spublish';
	/** Splits channels into groups that one command may name. */
	group(redisChannels: readonly string[]): readonly (readonly string[])[];
}

/** The most channels that one command names. */
const CHANNELS_PER_COMMAND = 1_000;

export const plainPubSub: PubSubCommands = {
	messageEvent: 'messageBuffer',
	subscribe: (client, redisChannels) => client.subscribe(...redisChannels),
	unsubscribe: (client, redisChannels) => client.unsubscribe(...redisChannels),
	publish: 'publish',
	group: (redisChannels) => chunks(redisChannels),
};

/** On a cluster, where each message then costs one shard instead of every node. Requires Redis 7. */
export function shardedPubSub(slotOf: (redisChannel: string) => number): PubSubCommands {
	return {
		messageEvent: 'smessageBuffer',
		subscribe: (client, redisChannels) => client.ssubscribe(...redisChannels),
		unsubscribe: (client, redisChannels) => client.sunsubscribe(...redisChannels),
		publish: 'spublish',
		// One command may name channels of one slot only.
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
