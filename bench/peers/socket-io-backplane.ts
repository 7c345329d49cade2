import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter';
import { Redis } from 'ioredis';
import type { ServerOptions } from 'socket.io';

/** What connects the nodes. */
export interface Backplane {
	readonly adapter: ServerOptions['adapter'];
	/** Resolves when what other nodes publish from now on to the rooms that exist here arrives here. */
	subscribed(): Promise<unknown>;
}

/** Systems of both runtimes may be on one Redis at a time. */
const PREFIX = 'Bun' in globalThis ? 'socket.io-bun' : 'socket.io-node';

/** The one that is named by `adapter` in the settings of this process; default `redis`. */
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
	throw new RangeError(`Socket.IO has no adapter '${adapter}' here`);
}

/** One pattern subscription for all rooms: a node gets everything and drops what none of its rooms wants. */
function overPubSub(port: number): Backplane {
	const publisher = new Redis({ port });
	const subscriber = publisher.duplicate();
	return {
		adapter: createAdapter(publisher, subscriber, { key: PREFIX }),
		// Sent after the pattern subscription that brings the messages.
		subscribed: lastReply(subscriber, 'subscribe'),
	};
}

/** A channel for each room. */
function overShardedPubSub(port: number): Backplane {
	const publisher = new Redis({ port });
	const subscriber = publisher.duplicate();
	const subscribed = lastReply(subscriber, 'ssubscribe');
	return {
		adapter: createShardedAdapter(publisher, subscriber, { channelPrefix: PREFIX, subscriptionMode: 'dynamic' }),
		subscribed,
	};
}

/** The adapter keeps its subscriptions to itself. Replies come in order, so the last one of a client stands for all before. */
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
		// A reader that is further behind loses messages, and with the default of 10,000 it does.
		maxLen: 100_000,
	});
	const reading = untilReading(client, connectionName);
	return { adapter, subscribed: () => reading };
}

const POLL_MS = 10;

/**
 * Resolves when this node's reader waits at a known place of the stream. Until it has got a first entry it asks for what comes
 * after its request, and misses what comes between two requests.
 */
async function untilReading(client: Redis, name: string): Promise<void> {
	const isReading = async (): Promise<boolean> => {
		const clients = String(await client.client('LIST')).split('\n');
		return clients.some((line) => line.includes(` name=${name} `) && line.includes(' flags=b '));
	};
	while (!(await isReading())) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
	// The adapter reads past an entry that names no namespace.
	await client.xadd(PREFIX, '*', 'bench', 'ready');
}
