import { until } from '@orijs/testkit';
import type { WatchAnswer } from '@orijs/websocket/protocol';
import { describe, expect, it } from 'vitest';
import { SocketRouter } from '../index.ts';
import { changesOf, enter, framesOf, keysOf, presenceNode, request } from '../test-support/presence-nodes.ts';
import { allReceived, answersOf, parse, sendTyped } from '../test-support/typed-client.ts';

describe('@watch', () => {
	it('answers with who is there, and is followed by who comes and goes', async () => {
		const { speaker } = await presenceNode();
		const ada = await speaker('ada');
		const first = await enter(ada, 'room:a');
		expect(first).toMatchObject({
			topic: 'room:a',
			count: 1,
			members: [{ key: 'user:ada', userId: 'ada', connections: 1 }],
		});
		expect(first).not.toHaveProperty('hasMore');
		expect(first).not.toHaveProperty('isStale');

		const ben = await speaker('ben');
		expect(keysOf(await enter(ben, 'room:a'))).toEqual(['user:ada', 'user:ben']);
		await until(() => changesOf(ada).some(({ joined }) => joined?.[0]?.key === 'user:ben'), { what: 'Ben has joined' });
		await ben.close();
		await until(() => changesOf(ada).some(({ left }) => left?.includes('user:ben') === true), { what: 'Ben has left' });
		expect(changesOf(ada).at(-1)).toMatchObject({ topic: 'room:a', count: 1 });
	});

	it('includes the client itself, if it was sent right after @subscribe', async () => {
		const { speaker } = await presenceNode();
		const client = await speaker('ada');
		sendTyped(client, '@subscribe', { topic: 'room:a' }, 'subscribe');
		sendTyped(client, '@watch', { topic: 'room:a' }, 'watch');
		await client.next((message) => parse(message)['correlationId'] === 'watch');
		const answers = answersOf(client);
		expect(answers.map(([id]) => id)).toContain('subscribe');
		expect(keysOf(answers.find(([id]) => id === 'watch')?.[1] as WatchAnswer)).toEqual(['user:ada']);
	});

	it('includes the client itself on a topic with history, too, also if it resumes', async () => {
		const { speaker, app } = await presenceNode({ history: { 'room:*': { size: 10, ttlMs: 60_000 } } });
		await app.socket.publish('room:a', 'earlier');
		const client = await speaker('ada');
		sendTyped(client, '@subscribe', { topics: [{ topic: 'room:a', rewind: 5 }] }, 'subscribe');
		sendTyped(client, '@watch', { topic: 'room:a' }, 'watch');
		await client.next((message) => parse(message)['correlationId'] === 'watch');
		await client.next((message) => parse(message)['correlationId'] === 'subscribe');
		expect(keysOf(new Map(answersOf(client)).get('watch') as WatchAnswer)).toEqual(['user:ada']);
	});

	it('includes the client itself, if a guard, onOpen or open has subscribed it', async () => {
		const { speaker } = await presenceNode({
			routers: () => [
				new SocketRouter()
					.guard(async (ctx) => {
						await ctx.subscribe('room:guard');
						return true;
					})
					.onOpen((ctx) => ctx.subscribe('room:hook')),
			],
			handlers: { open: (ws) => ws.subscribe('room:open') },
		});
		const client = await speaker('ada');
		for (const topic of ['room:guard', 'room:hook', 'room:open'])
			expect(keysOf(await request(client, '@watch', { topic }))).toEqual(['user:ada']);
	});

	it('is refused for a topic that the client is not in, whether anybody is', async () => {
		const { speaker, app } = await presenceNode();
		const client = await speaker('ada');
		await enter(await speaker('ben'), 'room:a');
		const refused = { code: 'not_subscribed', message: 'You are not subscribed to room:a' };
		expect(await request(client, '@watch', { topic: 'room:a' })).toEqual(refused);
		expect(await request(client, '@watch', { topic: 'room:a', after: '' })).toEqual(refused);
		expect(app.refusals.forbidden).toBe(0);
	});

	it('is refused for a topic whose presence is not kept, or whose changes are not told', async () => {
		const { speaker } = await presenceNode();
		const client = await speaker('ada');
		expect(await enter(client, 'lobby')).toMatchObject({
			code: 'not_kept',
			message: 'The presence of lobby is not kept',
		});
		expect(await enter(client, 'silent:a')).toMatchObject({
			code: 'not_watchable',
			message: 'The presence of silent:a is kept, but its changes are not told',
		});
	});

	it('is refused if its data is invalid, which says what is allowed', async () => {
		const { speaker, app } = await presenceNode();
		const client = await speaker('ada');
		const bad = [
			null,
			[],
			'room:a',
			{},
			{ topic: 1 },
			{ topic: 'a b' },
			{ topic: 'room:a', after: 1 },
			{ topic: 'room:a', isCountOnly: 1 },
		];
		for (const data of [...bad, { topic: 'room:a', after: 'x'.repeat(2_000) }]) {
			expect(await request(client, '@watch', data)).toMatchObject({
				code: 'invalid_data',
				message: expect.stringMatching(
					/^data must be \{ topic \}, \{ topic, isCountOnly: true \}, or \{ topic, after \}.*a topic is 1 to 256/,
				) as string,
			});
		}
		for (const data of [undefined, {}, { topics: ['room:a'] }])
			expect(await request(client, '@unwatch', data)).toMatchObject({ code: 'invalid_data' });
		expect(app.refusals.data).toBe(bad.length + 4);
	});

	it('can be repeated: each answer is of its moment, and changes are told once', async () => {
		const { speaker } = await presenceNode();
		const client = await speaker('ada');
		await enter(client, 'room:a');
		await enter(client, 'room:a');
		await enter(await speaker('ben'), 'room:a');
		expect(keysOf(await request(client, '@watch', { topic: 'room:a' }))).toEqual(['user:ada', 'user:ben']);
		await until(() => changesOf(client).length > 0, { what: 'a change is told' });
		await enter(await speaker('cy'), 'room:a');
		await until(() => changesOf(client).some(({ count }) => count === 3), { what: 'Cy has joined' });
		const joined = changesOf(client).flatMap((change) => change.joined?.map(({ key }) => key) ?? []);
		expect(joined.filter((key) => key === 'user:cy')).toHaveLength(1);
	});

	it('reads further pages of a topic that the client watches', async () => {
		const { speaker } = await presenceNode({ limits: { connections: 500 } });
		const clients = await Promise.all(Array.from({ length: 130 }, (_, i) => speaker(`u${1_000 + i}`)));
		await Promise.all(clients.map((client) => request(client, '@subscribe', { topic: 'room:a' })));
		const client = clients[0] as (typeof clients)[0];
		expect(await request(client, '@watch', { topic: 'room:a', after: 'user:u1000' })).toMatchObject({
			code: 'not_watched',
		});
		const first = await request<WatchAnswer>(client, '@watch', { topic: 'room:a' });
		expect(first).toMatchObject({ count: 130, hasMore: true });
		const after = keysOf(first)?.at(-1);
		const second = await request<WatchAnswer>(client, '@watch', { topic: 'room:a', after });
		expect(second).not.toHaveProperty('hasMore');
		const keys = [...(keysOf(first) ?? []), ...(keysOf(second) ?? [])];
		expect(keys).toEqual(clients.map((_, i) => `user:u${1_000 + i}`));
	});

	it('of a message that is no request is not answered, but changes are told', async () => {
		const { speaker } = await presenceNode();
		const client = await speaker('ada');
		await request(client, '@subscribe', { topic: 'room:a' });
		sendTyped(client, '@watch', { topic: 'room:a' });
		await allReceived(client);
		await enter(await speaker('ben'), 'room:a');
		await until(() => changesOf(client).length > 0, { what: 'the change is told' });
		expect(framesOf(client, '@watch')).toEqual([]);
	});
});

describe('a watch ends', () => {
	it('by @unwatch, which is answered, also if nothing is watched', async () => {
		const { speaker, provider } = await presenceNode();
		const client = await speaker('ada');
		await enter(client, 'room:a');
		expect(await request(client, '@unwatch', { topic: 'room:a' })).toEqual({});
		expect(await request(client, '@unwatch', { topic: 'room:a' })).toEqual({});
		expect(await request(client, '@unwatch', { topic: 'lobby' })).toEqual({});
		const ben = await speaker('ben');
		await enter(ben, 'room:a');
		await enter(await speaker('cy'), 'room:a');
		await until(() => changesOf(ben).length > 0, { what: 'others are told' });
		expect(changesOf(client)).toEqual([]);
		expect(provider.socketPresence.watchedBy(client.texts[0] ?? '')).toBe(0);
	});

	it('by @unwatch while it is still being answered: then it is refused', async () => {
		const { speaker } = await presenceNode();
		const client = await speaker('ada');
		await request(client, '@subscribe', { topic: 'room:a' });
		sendTyped(client, '@watch', { topic: 'room:a' }, 'watch');
		sendTyped(client, '@unwatch', { topic: 'room:a' }, 'unwatch');
		sendTyped(client, '@watch', { topic: 'room:a' }, 'again');
		await client.next((message) => parse(message)['correlationId'] === 'again');
		const answers = new Map(answersOf(client));
		expect(answers.get('unwatch')).toEqual({});
		expect(['closed', expect.objectContaining({ count: 1 })]).toContainEqual(answers.get('watch'));
		expect(answers.get('again')).toMatchObject({ count: 1 });
		await enter(await speaker('ben'), 'room:a');
		await until(() => changesOf(client).length > 0, { what: 'it is watched again' });
	});

	it('when the client unsubscribes, or is kicked; it can watch again once it is back', async () => {
		const { app, speaker } = await presenceNode();
		const client = await speaker('ada');
		const ben = await speaker('ben');
		await enter(ben, 'room:a');
		await enter(client, 'room:a');
		await request(client, '@unsubscribe', { topic: 'room:a' });
		expect(await request(client, '@watch', { topic: 'room:a' })).toMatchObject({ code: 'not_subscribed' });
		await until(() => changesOf(ben).some(({ left }) => left?.includes('user:ada') === true), { what: 'Ada has left' });

		expect(keysOf(await enter(client, 'room:a'))).toEqual(['user:ada', 'user:ben']);
		await app.cluster.unsubscribe({ userId: 'ada' }, 'room:a', { code: 'kicked' });
		expect(await request(client, '@watch', { topic: 'room:a' })).toMatchObject({ code: 'not_subscribed' });
		const told = changesOf(client).length;
		await until(() => changesOf(ben).filter(({ left }) => left?.includes('user:ada') === true).length === 2, {
			what: 'Ada has left again',
		});
		await enter(await speaker('cy'), 'room:a');
		await until(() => changesOf(ben).some(({ joined }) => joined?.[0]?.key === 'user:cy'), { what: 'Cy has joined' });
		expect(changesOf(client)).toHaveLength(told);
		expect(framesOf(client, '@unwatched')).toEqual([]);
	});

	it('when the connection closes, also while it is being answered', async () => {
		const { speaker, provider, log } = await presenceNode();
		let socketId = '';
		const [client, staying] = [await speaker('ada'), await speaker('ben')];
		for (const { data } of provider.getConnections()) if (data.userId === 'ada') ({ socketId } = data);
		await enter(client, 'room:a');
		expect(provider.socketPresence.watchedBy(socketId)).toBe(1);
		sendTyped(client, '@watch', { topic: 'room:a' }, 'last');
		await client.close();
		await until(() => !provider.isConnected(socketId), { what: 'the connection has closed' });
		expect(provider.socketPresence.watchedBy(socketId)).toBe(0);
		expect(keysOf(await enter(staying, 'room:a'))).toEqual(['user:ben']);
		expect(log.errors).toEqual([]);
	});
});

it('while the provider is stopped, clients are refused with unavailable, and nothing is logged', async () => {
	const { provider, speaker, log } = await presenceNode();
	const ada = await speaker('ada');
	const ben = await speaker('ben');
	await enter(ada, 'room:a');
	await request(ben, '@subscribe', { topic: 'room:a' });
	await provider.stop();
	const refusal = { code: 'unavailable', message: 'The members could not be read; try again' };
	expect(await request(ada, '@watch', { topic: 'room:a' })).toEqual(refusal);
	expect(await request(ben, '@watch', { topic: 'room:a' })).toEqual(refusal);
	expect(await request(ada, '@subscribe', { topic: 'room:b' })).toMatchObject({ code: 'unavailable' });
	expect(log.errors).toEqual([]);
	await provider.start();
	expect((await request(ben, '@watch', { topic: 'room:a' })).count).toBe(2);
});
