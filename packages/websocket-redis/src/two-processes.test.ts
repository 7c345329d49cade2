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
import type { NodeRequest } from './test-support/chat-node.ts';

interface Node {
	readonly url: string;
	ask<Reply = void>(request: NodeRequest): Promise<Reply>;
	readonly process: ScriptProcess;
}

interface Member {
	readonly id: string;
	readonly client: TestClient;
	/** Everything but the node's own answers. */
	readonly heard: () => (string | Uint8Array)[];
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
		for (const node of [a, b]) await noneLeft(node);
	});

	async function connect(node: Node, ...topics: string[]): Promise<Member> {
		const client = await connectClient(node.url, { timeoutMs: 10_000 });
		clients.push(client);
		const id = String(await client.next()).slice('id '.length);
		for (const topic of topics) {
			client.send(`join ${topic}`);
			await client.next((message) => message === `join ${topic}`);
		}
		const heard = (): (string | Uint8Array)[] =>
			client.messages.filter((message) => typeof message !== 'string' || !/^(id|join|leave) /.test(message));
		return { id, client, heard };
	}

	/** Everything sent to a socket before this is there once it returns: one connection keeps its order. */
	async function flush(from: Node, ...members: Member[]): Promise<void> {
		const marker = crypto.randomUUID();
		await from.ask({ do: 'broadcast', payload: marker });
		await Promise.all(members.map(({ client }) => client.next((message) => message === marker)));
	}

	const withoutMarkers = (heard: (string | Uint8Array)[]): (string | Uint8Array)[] =>
		heard.filter((message) => typeof message !== 'string' || !/^[0-9a-f-]{36}$/.test(message));

	it('publishes to the members on both, each exactly once', async () => {
		const [here, there, elsewhere] = [await connect(a, 'room'), await connect(b, 'room'), await connect(b, 'other')];
		await a.ask({ do: 'publish', topic: 'room', payloads: ['from a'] });
		await there.client.next((message) => message === 'from a');
		await b.ask({ do: 'publish', topic: 'room', payloads: ['from b'] });
		await here.client.next((message) => message === 'from b');
		await flush(a, here, there, elsewhere);
		await flush(b, here, there, elsewhere);
		expect(withoutMarkers(here.heard())).toEqual(['from a', 'from b']);
		expect(withoutMarkers(there.heard())).toEqual(['from a', 'from b']);
		expect(withoutMarkers(elsewhere.heard())).toEqual([]);
	});

	it('carries text as text and bytes as bytes', async () => {
		const there = await connect(b, 'room');
		const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
		await a.ask({ do: 'publish', topic: 'room', payloads: ['Grüße 👋', bytes, '', new Uint8Array(0)] });
		await until(() => there.heard().length === 4, { what: 'all four arrived' });
		expect(there.heard()).toEqual(['Grüße 👋', bytes, '', new Uint8Array(0)]);
	});

	it('sends to one socket on the other node, and knows when no node has it', async () => {
		const [first, second] = [await connect(b), await connect(b)];
		expect(await a.ask({ do: 'send', socketId: first.id, payload: 'for you' })).toBe('sent');
		await first.client.next((message) => message === 'for you');
		await flush(a, first, second);
		expect(withoutMarkers(second.heard())).toEqual([]);
		expect(await a.ask({ do: 'send', socketId: crypto.randomUUID(), payload: 'for nobody' })).toBe(
			'UnknownSocketError',
		);
	});

	it('broadcasts to every socket of every node', async () => {
		const members = [await connect(a), await connect(a, 'room'), await connect(b), await connect(b, 'room')];
		await a.ask({ do: 'broadcast', payload: 'to all' });
		for (const { client } of members) await client.next((message) => message === 'to all');
		await flush(b, ...members);
		for (const { heard } of members) expect(withoutMarkers(heard())).toEqual(['to all']);
	});

	it('emits typed messages, validated', async () => {
		const there = await connect(b, 'room');
		expect(await a.ask({ do: 'emit', topic: 'room', note: 'typed' })).toBe('emitted');
		const envelope: unknown = JSON.parse(String(await there.client.next()));
		expect(envelope).toEqual({ name: 'note.added', data: 'typed', timestamp: expect.any(Number), topic: 'room' });
		expect(await a.ask({ do: 'emit', topic: 'room', note: 7 as unknown as string })).toBe(
			'Data of note.added does not fit its schema: note: must be a string',
		);
	});

	it('stops delivering when a socket leaves or disconnects', async () => {
		const [leaver, stayer, closer] = [await connect(b, 'room'), await connect(b, 'room'), await connect(b, 'room')];
		leaver.client.send('leave room');
		await leaver.client.next((message) => message === 'leave room');
		await closer.client.close();
		await until(async () => (await b.ask<{ inTopic: number }>({ do: 'counts', topic: 'room' })).inTopic === 1, {
			what: 'one member is left',
		});
		await a.ask({ do: 'publish', topic: 'room', payloads: ['still there?'] });
		await stayer.client.next((message) => message === 'still there?');
		await flush(a, leaver, stayer);
		expect(withoutMarkers(leaver.heard())).toEqual([]);
		expect(await a.ask({ do: 'send', socketId: closer.id, payload: 'x' })).toBe('UnknownSocketError');
	});

	it('asks Redis for a topic only while somebody is in it', async () => {
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
		await until(async () => (await subscribers()) === 0, { what: 'the topic is let go after its grace' });
	});

	it.each(['in', 'out'] as const)('ends 50 quick joins and leaves in the right state: %s', async (end) => {
		const there = await connect(b);
		await b.ask({ do: 'shuffle', socketId: there.id, topic: 'dance', times: 50, end });
		await a.ask({ do: 'publish', topic: 'dance', payloads: ['still here?'] });
		await flush(a, there);
		expect(withoutMarkers(there.heard())).toEqual(end === 'in' ? ['still here?'] : []);
	});

	it('keeps the order of 2,000 messages of one publisher', async () => {
		const there = await connect(b, 'room');
		const payloads = Array.from({ length: 2_000 }, (_, i) => `message ${i}`);
		await a.ask({ do: 'publish', topic: 'room', payloads });
		await until(() => there.heard().length >= payloads.length, { what: 'all arrived' });
		expect(there.heard()).toEqual(payloads);
	});

	it.each([1, 100, 10_000])(
		'reaches a topic of %i members on two nodes',
		async (count) => {
			const members: Member[] = [];
			while (members.length < count) {
				const wave = Array.from({ length: Math.min(100, count - members.length) }, (_, i) => (i % 2 === 0 ? a : b));
				members.push(...(await Promise.all(wave.map((node) => connect(node, 'crowd')))));
			}
			await a.ask({ do: 'publish', topic: 'crowd', payloads: ['one', 'two'] });
			await Promise.all(members.map(({ client }) => client.next((message) => message === 'two')));
			const wrong = members.filter(({ heard }) => heard().join() !== 'one,two');
			expect(wrong.length).toBe(0);
			const counts = [a, b].map((node) => node.ask<{ inTopic: number }>({ do: 'counts', topic: 'crowd' }));
			expect((await Promise.all(counts)).reduce((sum, { inTopic }) => sum + inTopic, 0)).toBe(count);
		},
		60_000,
	);
});

async function startNode(redisUrl: string): Promise<Node> {
	const child = spawnBun(new URL('./test-support/chat-node.ts', import.meta.url), { env: { REDIS_URL: redisUrl } });
	const ask = <Reply>(request: NodeRequest): Promise<Reply> => child.request<Reply>(request, 30_000);
	return { url: await ask<string>({ do: 'where' }), ask, process: child };
}

async function noneLeft(node: Node): Promise<void> {
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
