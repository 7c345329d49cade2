import { type TestClient, until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { changesOf, enter, keysOf, presenceNode, request } from '../test-support/presence-nodes.ts';
import { connectRawWebSocket } from '../test-support/raw-web-socket.ts';
import { allReceived, answersOf, parse, sendTyped } from '../test-support/typed-client.ts';

const UNLIMITED = { messagesPerSecond: Infinity, bytesPerSecond: Infinity, topicsPerSocket: 2_000 };

describe('a client that watches', () => {
	it('as many topics as it may be in, is refused more until it ends one', async () => {
		const { speaker, app } = await presenceNode({
			limits: { topicsPerSocket: 3 },
			presence: { authorize: () => true },
		});
		const client = await speaker('ada');
		for (const topic of ['room:1', 'room:2', 'room:3', 'room:3'])
			expect(await request(client, '@watch', { topic })).toMatchObject({ count: 0, members: [] });
		expect(await request(client, '@watch', { topic: 'room:4' })).toEqual({
			code: 'too_many_topics',
			message: 'Limit of 3 topics per connection reached',
		});
		expect(app.refusals.topics).toBe(1);
		await request(client, '@unwatch', { topic: 'room:2' });
		expect(await request(client, '@watch', { topic: 'room:4' })).toMatchObject({ count: 0 });
	});

	it('1,000 topics is told the changes of each', async () => {
		const { speaker, provider } = await presenceNode({
			limits: { ...UNLIMITED, pendingRequests: 2_000 },
			presence: { authorize: () => true },
		});
		const client = await speaker('ada');
		const topics = Array.from({ length: 1_000 }, (_, i) => `room:${i}`);
		for (const topic of topics) sendTyped(client, '@watch', { topic }, topic);
		await until(() => answersOf(client).length === 1_000, { what: 'all are answered' });
		expect(answersOf(client).map(([id]) => id)).toEqual(topics);
		const { value: socket } = provider.getConnections()[Symbol.iterator]().next() as {
			value: { data: { socketId: string } };
		};
		expect(provider.socketPresence.watchedBy(socket.data.socketId)).toBe(1_000);
		const ben = await speaker('ben');
		for (const topic of topics) sendTyped(ben, '@subscribe', { topic }, topic);
		await until(() => new Set(changesOf(client).map(({ topic }) => topic)).size === 1_000, { what: 'all are told' });
		await client.close();
		await until(() => provider.socketPresence.watchedBy(socket.data.socketId) === 0, { what: 'nothing is watched' });
	});

	it('again and again without reading is refused, and costs a few answers; other clients are not affected', async () => {
		const { speaker, port, app, log } = await presenceNode({
			limits: UNLIMITED,
			presence: { info: () => ({ text: 'x'.repeat(900) }) },
		});
		const others = await Promise.all(Array.from({ length: 60 }, (_, i) => speaker(`u${i}`)));
		await Promise.all(others.map((client) => request(client, '@subscribe', { topic: 'room:a' })));
		const flooding = await connectRawWebSocket(port);
		const send = (type: string, correlationId: string): void =>
			flooding.send(JSON.stringify({ type, data: { topic: 'room:a' }, correlationId }));
		send('@subscribe', 'in');
		await until(() => flooding.texts.some((text) => text.includes('"in"')), { what: 'it is in the topic' });
		flooding.pause();
		for (let i = 0; i < 1_000; i++) send('@watch', `w${i}`);
		await until(() => app.refusals.requests > 0, { what: 'requests are refused' });
		expect(await request(others[0] as TestClient, '@watch', { topic: 'room:a' })).toMatchObject({ count: 61 });
		flooding.resume();
		const answered = (): readonly string[] => flooding.texts.filter((text) => text.includes('"correlationId":"w'));
		await until(() => answered().length === 1_000, { what: 'each is answered', timeoutMs: 15_000 });
		const codes = new Set(answered().map((text) => (parse(text)['error'] as { code: string } | undefined)?.code));
		expect(codes).toEqual(new Set([undefined, 'too_many_requests']));
		expect(app.refusals.slowReader).toBe(0);
		expect(log.lines.filter(({ level }) => level !== 'debug').length).toBeLessThan(20);
	});

	it('and unwatches in turn ends as its last message says', async () => {
		const { speaker } = await presenceNode({ limits: { ...UNLIMITED, pendingRequests: 5_000 } });
		const client = await speaker('ada');
		await enter(client, 'room:a');
		for (let i = 0; i < 1_000; i++)
			sendTyped(client, i % 2 === 0 ? '@unwatch' : '@watch', { topic: 'room:a' }, `m${i}`);
		await client.next((message) => parse(message)['correlationId'] === 'm999');
		await enter(await speaker('ben'), 'room:a');
		await until(() => changesOf(client).some(({ count }) => count === 2), { what: 'the last watch counts' });
	});
});

it('a client that sends garbage is refused, and no other client notices', async () => {
	const { speaker, log } = await presenceNode({ limits: UNLIMITED });
	const [client, other] = [await speaker('ada'), await speaker('ben')];
	await enter(other, 'room:a');
	const values: unknown[] = [
		undefined,
		null,
		0,
		-1,
		'',
		'room:a',
		[],
		[[]],
		{},
		{ topic: {} },
		{ topic: 'room:a', after: {} },
	];
	const garbage: unknown[] = [
		...values,
		{ topic: 'x'.repeat(300), info: {} },
		{ topic: 'room:a', info: { toString: 1 } },
	];
	let count = 0;
	for (const type of ['@watch', '@unwatch', '@update', '@presence', '@unwatched', '@watch2'])
		for (const data of garbage) sendTyped(client, type, data, `g${count++}`);
	await until(() => answersOf(client).length === count, { what: 'each is answered' });
	const codes = new Set(answersOf(client).map(([, answer]) => (typeof answer === 'string' ? answer : 'data')));
	expect([...codes].toSorted()).toEqual(['data', 'invalid_data', 'not_subscribed', 'unknown_type']);
	expect(keysOf(await request(other, '@watch', { topic: 'room:a' }))).toEqual(['user:ben']);
	expect(log.errors).toEqual([]);
});

it('a flood of @update is refused by its rate, and others are told a few changes at most', async () => {
	const { speaker, log } = await presenceNode({ limits: UNLIMITED });
	const [client, other] = [await speaker('ada'), await speaker('ben')];
	await enter(client, 'room:a');
	await enter(other, 'room:a');
	for (let n = 0; n < 2_000; n++) sendTyped(client, '@update', { topic: 'room:a', info: { n } }, `u${n}`);
	await allReceived(client);
	await until(() => answersOf(client).length >= 2_000, { what: 'each is answered' });
	const accepted = answersOf(client).filter(([id, answer]) => String(id).startsWith('u') && typeof answer === 'object');
	expect(accepted.length).toBeLessThan(10);
	await until(() => changesOf(other).some(({ updated }) => updated !== undefined), { what: 'others are told' });
	expect(changesOf(other).length).toBeLessThan(15);
	expect(log.lines.filter(({ level }) => level !== 'debug').length).toBeLessThan(20);
});
