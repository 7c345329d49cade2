import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter';
import { Redis } from 'ioredis';
import type { ServerOptions } from 'socket.io';

/** Connects the nodes. */
export interface Backplane {
	readonly adapter: ServerOptions['adapter'];
	/** Resolves when messages from other nodes to this node's rooms arrive here. */
	subscribed(): Promise<unknown>;
}

/** Keeps Bun and Node systems apart on a shared Redis. */
const PREFIX = 'Bun' in globalThis ? 'socket.io-bun' : 'socket.io-node';

/** Selected by `adapter` in the settings of this process; default `redis`. */
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

/** One pattern subscription for all rooms: a node receives every message and drops those for rooms it lacks. */
function overPubSub(port: number): Backplane {
	const publisher = new Redis({ port });
	const subscriber = publisher.duplicate();
	return {
		adapter: createAdapter(publisher, subscriber, { key: PREFIX }),
		// Sent after the pattern subscription that receives the messages.
		subscribed: lastReply(subscriber, 'subscribe'),
	};
}

/** One channel per room. */
function overShardedPubSub(port: number): Backplane {
	const publisher = new Redis({ port });
	const subscriber = publisher.duplicate();
	const subscribed = lastReply(subscriber, 'ssubscribe');
	return {
		adapter: createShardedAdapter(publisher, subscriber, { channelPrefix: PREFIX, subscriptionMode: 'dynamic' }),
		subscribed,
	};
}

/** The adapter hides its subscriptions. Replies arrive in order, so the last one confirms all before it. */
function lastReply(client: Redis, command: 'subscribe' | 'ssubscribe'): () => Promise<unknown> {
	const send = client[command].bind(client) as (...args: unknown[]) => Promise<unknown>;
	let last: Promise<unknown> = Promise.resolve();
	client[command] = (...args: unknown[]) => (last = send(...args));
	return () => last;
}

/** One stream for all rooms. */
function overStreams(port: number): Backplane {
	const connectionName = crypto.randomUUID();
	const client = new Redis({ port, connectionName });
	const adapter = createStreamsAdapter(client, {
		streamName: PREFIX,
		channelPrefix: PREFIX,
		onlyPlaintext: true,
		// A reader further behind loses messages, which happens with the default of 10,000.
		maxLen: 100_000,
	});
	const reading = untilReading(client, connectionName);
	return { adapter, subscribed: () => reading };
}

const POLL_MS = 10;

/**
 * Resolves when this node's reader has a position in the stream. Until its first entry it asks for entries newer than
 * its request, and misses those added between two requests.
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
