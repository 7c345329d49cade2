import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter';
import { Redis } from 'ioredis';
import type { ServerOptions } from 'socket.io';

/** The connection between the nodes. */
export interface Backplane {
	readonly adapter: ServerOptions['adapter'];
	/** Resolves once this node receives the messages that other nodes send to its rooms. */
	subscribed(): Promise<unknown>;
}

/** Separates systems on Bun from systems on Node that share a Redis. */
const PREFIX = 'Bun' in globalThis ? 'socket.io-bun' : 'socket.io-node';

/** Creates the backplane that `adapter` selects in the settings of this process. Default `redis`. */
export function backplane(port: number): Backplane {
	const { adapter = 'redis' } = JSON.parse(process.argv[2] ?? '{}') as { adapter?: string };
	switch (adapter) {
		case 'redis':
			return overPubSub(port);
		case 'sharded':
			return overShardedPubSub(port);
		case 'streams':
			return overStreams(port);
	}
	throw new RangeError(`Unknown Socket.IO adapter '${adapter}'`);
}

/**
 * Uses one pattern subscription for all rooms: a node receives every message, and drops those for rooms that it does
 * not have.
 */
function overPubSub(port: number): Backplane {
	const publisher = new Redis({ port });
	const subscriber = publisher.duplicate();
	return {
		adapter: createAdapter(publisher, subscriber, { key: PREFIX }),
		// The adapter sends this command after the pattern subscription that receives the messages.
		subscribed: lastReply(subscriber, 'subscribe'),
	};
}

/** Uses one channel per room. */
function overShardedPubSub(port: number): Backplane {
	const publisher = new Redis({ port });
	const subscriber = publisher.duplicate();
	const subscribed = lastReply(subscriber, 'ssubscribe');
	return {
		adapter: createShardedAdapter(publisher, subscriber, { channelPrefix: PREFIX, subscriptionMode: 'dynamic' }),
		subscribed,
	};
}

/**
 * Returns a function that resolves with the latest reply to a command, because the adapter hides its subscriptions.
 * Replies arrive in order, so the latest one confirms all earlier commands.
 */
function lastReply(client: Redis, command: 'subscribe' | 'ssubscribe'): () => Promise<unknown> {
	const send = client[command].bind(client) as (...args: unknown[]) => Promise<unknown>;
	let last: Promise<unknown> = Promise.resolve();
	client[command] = (...args: unknown[]) => (last = send(...args));
	return () => last;
}

/** Uses one stream for all rooms. */
function overStreams(port: number): Backplane {
	const connectionName = crypto.randomUUID();
	const client = new Redis({ port, connectionName });
	const adapter = createStreamsAdapter(client, {
		streamName: PREFIX,
		channelPrefix: PREFIX,
		onlyPlaintext: true,
		// A reader that is further behind than this loses messages, which would happen with the default of 10,000.
		maxLen: 100_000,
	});
	const reading = untilReading(client, connectionName);
	return { adapter, subscribed: () => reading };
}

const POLL_MS = 10;

/**
 * Resolves once this node's reader has a position in the stream. Until it has received its first entry, the reader asks
 * for entries newer than its request, and misses those added between two requests.
 */
async function untilReading(client: Redis, name: string): Promise<void> {
	const isReading = async (): Promise<boolean> => {
		const clients = String(await client.client('LIST')).split('\n');
		return clients.some((line) => line.includes(` name=${name} `) && line.includes(' flags=b '));
	};
	while (!(await isReading())) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
	// The adapter skips entries without a namespace.
	await client.xadd(PREFIX, '*', 'bench', 'ready');
}
