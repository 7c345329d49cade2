import {
	type ScriptProcess,
	connectClient,
	type RedisServer,
	spawnBun,
	startRedis,
	type TestClient,
	until,
} from '@orijs/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { NodeRequest } from '../test-support/chat-node.ts';

interface Node {
	readonly url: string;
	ask<Reply = void>(request: NodeRequest): Promise<Reply>;
	readonly process: ScriptProcess;
}

interface Client {
	readonly id: string;
	readonly client: TestClient;
	/** Returns all messages received, except the node's own replies. */
	readonly received: () => (string | Uint8Array)[];
}

describe('two processes on one Redis', () => {
	let redis: RedisServer;
	let a: Node;
	let b: Node;
	const clients: TestClient[] = [];

	beforeAll(async () => {
		redis = await startRedis();
		[a, b] = await Promise.all([startNode(redis.url), startNode(redis.url)]);
	});
	afterAll(async () => {
		await Promise.all([a, b].map((node) => node?.process.stop()));
		await redis?.stop();
	});
	afterEach(async () => {
		await Promise.all(clients.splice(0).map((client) => client.close()));
		for (const node of [a, b]) await untilEmpty(node);
	});

	async function connect(node: Node, ...topics: string[]): Promise<Client> {
		const client = await connectClient(node.url, { timeoutMs: 10_000 });
		clients.push(client);
		const id = String(await client.next()).slice('id '.length);
		for (const topic of topics) {
			client.send(`subscribe ${topic}`);
			await client.next((message) => message === `subscribe ${topic}`);
		}
		const received = (): (string | Uint8Array)[] =>
			client.messages.filter((message) => typeof message !== 'string' || !/^(id|subscribe|unsubscribe) /.test(message));
		return { id, client, received };
	}

	/** Resolves when all messages sent earlier have arrived, because a connection keeps messages in order. */
	async function flush(from: Node, ...members: Client[]): Promise<void> {
		const marker = crypto.randomUUID();
		await from.ask({ do: 'broadcast', payload: marker });
		await Promise.all(members.map(({ client }) => client.next((message) => message === marker)));
	}

	const withoutMarkers = (received: (string | Uint8Array)[]): (string | Uint8Array)[] =>
		received.filter((message) => typeof message !== 'string' || !/^[0-9a-f-]{36}$/.test(message));

	it('publishes to the subscribers on both, to each exactly once', async () => {
		const [here, there, elsewhere] = [await connect(a, 'room'), await connect(b, 'room'), await connect(b, 'other')];
		await a.ask({ do: 'publish', topic: 'room', payloads: ['from a'] });
		await there.client.next((message) => message === 'from a');
		await b.ask({ do: 'publish', topic: 'room', payloads: ['from b'] });
		await here.client.next((message) => message === 'from b');
		await flush(a, here, there, elsewhere);
		await flush(b, here, there, elsewhere);
		expect(withoutMarkers(here.received())).toEqual(['from a', 'from b']);
		expect(withoutMarkers(there.received())).toEqual(['from a', 'from b']);
		expect(withoutMarkers(elsewhere.received())).toEqual([]);
	});

	it('carries text as text and bytes as bytes', async () => {
		const there = await connect(b, 'room');
		const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
		await a.ask({ do: 'publish', topic: 'room', payloads: ['Grüße 👋', bytes, '', new Uint8Array(0)] });
		await until(() => there.received().length === 4, { what: 'all four arrived' });
		expect(there.received()).toEqual(['Grüße 👋', bytes, '', new Uint8Array(0)]);
	});

	it('sends to one socket on the other node, and rejects when no node has it', async () => {
		const [first, second] = [await connect(b), await connect(b)];
		expect(await a.ask({ do: 'send', socketId: first.id, payload: 'for you' })).toBe('sent');
		await first.client.next((message) => message === 'for you');
		await flush(a, first, second);
		expect(withoutMarkers(second.received())).toEqual([]);
		expect(await a.ask({ do: 'send', socketId: crypto.randomUUID(), payload: 'for no one' })).toBe(
			'UnknownSocketError',
		);
	});

	it('broadcasts to every socket of every node', async () => {
		const members = [await connect(a), await connect(a, 'room'), await connect(b), await connect(b, 'room')];
		await a.ask({ do: 'broadcast', payload: 'to all' });
		for (const { client } of members) await client.next((message) => message === 'to all');
		await flush(b, ...members);
		for (const { received } of members) expect(withoutMarkers(received())).toEqual(['to all']);
	});

	it('emits typed messages and validates them', async () => {
		const there = await connect(b, 'room');
		expect(await a.ask({ do: 'emit', topic: 'room', note: 'typed' })).toBe('emitted');
		const envelope: unknown = JSON.parse(String(await there.client.next()));
		expect(envelope).toEqual({ name: 'note.added', data: 'typed', timestamp: expect.any(Number), topic: 'room' });
		expect(await a.ask({ do: 'emit', topic: 'room', note: 7 as unknown as string })).toBe(
			'The data of note.added does not match its schema: note: must be a string',
		);
	});

	it('stops delivering when a socket unsubscribes or disconnects', async () => {
		const [leaver, stayer, closer] = [await connect(b, 'room'), await connect(b, 'room'), await connect(b, 'room')];
		leaver.client.send('unsubscribe room');
		await leaver.client.next((message) => message === 'unsubscribe room');
		await closer.client.close();
		await until(async () => (await b.ask<{ inTopic: number }>({ do: 'counts', topic: 'room' })).inTopic === 1, {
			what: 'one subscriber is left',
		});
		await a.ask({ do: 'publish', topic: 'room', payloads: ['still there?'] });
		await stayer.client.next((message) => message === 'still there?');
		await flush(a, leaver, stayer);
		expect(withoutMarkers(leaver.received())).toEqual([]);
		expect(await a.ask({ do: 'send', socketId: closer.id, payload: 'x' })).toBe('UnknownSocketError');
	});

	it('subscribes to a topic on Redis only while it has a subscriber', async () => {
		const subscribers = async (): Promise<number> => {
			const reply = await redis.command('PUBSUB', 'NUMSUB', 'orijs:interest');
			return Number((reply as unknown[])[1]);
		};
		expect(await subscribers()).toBe(0);
		const [one, two] = [await connect(b, 'interest'), await connect(b, 'interest')];
		expect(await subscribers()).toBe(1);
		await one.client.close();
		expect(await subscribers()).toBe(1);
		await two.client.close();
		await until(async () => (await subscribers()) === 0, { what: 'the topic is unsubscribed after its grace period' });
	});

	it.each(['subscribed', 'unsubscribed'] as const)('is %s after 50 quick subscribes and unsubscribes', async (end) => {
		const there = await connect(b);
		await b.ask({ do: 'toggle', socketId: there.id, topic: 'toggled', times: 50, end });
		await a.ask({ do: 'publish', topic: 'toggled', payloads: ['still here?'] });
		await flush(a, there);
		expect(withoutMarkers(there.received())).toEqual(end === 'subscribed' ? ['still here?'] : []);
	});

	it('keeps the order of 2,000 messages of one publisher', async () => {
		const there = await connect(b, 'room');
		const payloads = Array.from({ length: 2_000 }, (_, i) => `message ${i}`);
		await a.ask({ do: 'publish', topic: 'room', payloads });
		await until(() => there.received().length >= payloads.length, { what: 'all arrived' });
		expect(there.received()).toEqual(payloads);
	});

	it.each([1, 100, 10_000])(
		'delivers to %i subscribers on two nodes',
		async (count) => {
			const members: Client[] = [];
			while (members.length < count) {
				const wave = Array.from({ length: Math.min(100, count - members.length) }, (_, i) => (i % 2 === 0 ? a : b));
				members.push(...(await Promise.all(wave.map((node) => connect(node, 'large')))));
			}
			await a.ask({ do: 'publish', topic: 'large', payloads: ['one', 'two'] });
			await Promise.all(members.map(({ client }) => client.next((message) => message === 'two')));
			const wrong = members.filter(({ received }) => received().join() !== 'one,two');
			expect(wrong.length).toBe(0);
			const counts = [a, b].map((node) => node.ask<{ inTopic: number }>({ do: 'counts', topic: 'large' }));
			expect((await Promise.all(counts)).reduce((sum, { inTopic }) => sum + inTopic, 0)).toBe(count);
		},
		60_000,
	);
});

async function startNode(redisUrl: string): Promise<Node> {
	const child = spawnBun(new URL('../test-support/chat-node.ts', import.meta.url), { env: { REDIS_URL: redisUrl } });
	const ask = <Reply>(request: NodeRequest): Promise<Reply> => child.request<Reply>(request, 30_000);
	return { url: await ask<string>({ do: 'where' }), ask, process: child };
}

async function untilEmpty(node: Node): Promise<void> {
	await until(
		async () => {
			const { sockets, inTopic } = await node.ask<{ sockets: number; inTopic: number }>({
				do: 'counts',
				topic: 'room',
			});
			return sockets === 0 && inTopic === 0;
		},
		{ what: 'all counts are zero', timeoutMs: 20_000 },
	);
}
