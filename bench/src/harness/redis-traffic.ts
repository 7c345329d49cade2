import type { RedisServer } from '@orijs/testkit';
import { Redis } from 'ioredis';

/** What passes between Redis and its clients, as Redis counts it. */
export interface Traffic {
	readonly bytesToClients: number;
	/** How often Redis has read from a client. Commands that are sent together are one read. */
	readonly reads: number;
	/** Calls of commands by name, those by scripts included. */
	readonly calls: ReadonlyMap<string, number>;
}

/** Starts counting. The returned function resolves with what has passed since then, apart from this measurement. */
export async function trafficMeter(redis: RedisServer): Promise<() => Promise<Traffic>> {
	const callsBefore = await callsOf(redis);
	const before = await bytesAndReadsOf(redis);
	return async () => {
		const after = await bytesAndReadsOf(redis);
		const calls = await callsOf(redis);
		for (const [name, count] of callsBefore) calls.set(name, (calls.get(name) ?? 0) - count);
		calls.set('info', (calls.get('info') ?? 0) - OWN_CALLS);
		return {
			bytesToClients: after.bytesToClients - before.bytesToClients - before.replyBytes,
			reads: after.reads - before.reads - OWN_READS,
			calls,
		};
	};
}

/** Redis counts a call when it has ended: the first three of the four that a measurement makes. */
const OWN_CALLS = 3;
/** It counts a read before: the second of the two that are compared. */
const OWN_READS = 1;

async function callsOf(redis: RedisServer): Promise<Map<string, number>> {
	const commands = Object.entries(await redis.info('commandstats'));
	return new Map(
		commands.map(([key, value]) => [key.replace('cmdstat_', ''), Number(/calls=(\d+)/.exec(value)?.[1] ?? 0)]),
	);
}

async function bytesAndReadsOf(
	redis: RedisServer,
): Promise<{ readonly bytesToClients: number; readonly reads: number; readonly replyBytes: number }> {
	const text = String(await redis.command('INFO', 'stats'));
	const read = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1]);
	return {
		bytesToClients: read('total_net_output_bytes'),
		reads: read('total_reads_processed'),
		replyBytes: bulkBytes(text),
	};
}

/** The frames that have been published to one channel. */
export interface ChannelFrames {
	frames: number;
	/** Their size on the wire to one subscriber. */
	bytes: number;
	/** The number of clients that are subscribed to the channel. */
	subscribers: number;
}

/** Counts all frames that are published during `ms`, as a further subscriber of all channels. */
export async function framesDuring(redis: RedisServer, ms: number): Promise<readonly ChannelFrames[]> {
	const channels = new Map<string, ChannelFrames>();
	const tap = new Redis({ port: redis.port });
	tap.on('pmessageBuffer', (_pattern: Buffer, name: Buffer, frame: Buffer) => {
		const channel = name.toString('latin1');
		const counted = channels.get(channel) ?? { frames: 0, bytes: 0, subscribers: 0 };
		channels.set(channel, counted);
		counted.frames++;
		counted.bytes += '*3\r\n$7\r\nmessage\r\n'.length + bulkBytes(name) + bulkBytes(frame);
	});
	await tap.psubscribe('*');
	await Bun.sleep(ms);
	tap.disconnect();
	const counts = (await redis.command('PUBSUB', 'NUMSUB', ...channels.keys())) as (string | number)[];
	for (let at = 0; at < counts.length; at += 2) {
		const counted = channels.get(String(counts[at]));
		if (counted !== undefined) counted.subscribers = Number(counts[at + 1]);
	}
	return [...channels.values()];
}

/** Returns how many bytes a string takes in the protocol of Redis: `${length}\r\n…\r\n`. */
function bulkBytes({ length }: Buffer | string): number {
	return '$'.length + String(length).length + '\r\n'.length + length + '\r\n'.length;
}
