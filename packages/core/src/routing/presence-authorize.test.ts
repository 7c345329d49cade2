import { until } from '@orijs/testkit';
import { SocketError } from '@orijs/websocket/protocol';
import { describe, expect, it } from 'vitest';
import { SocketRouter } from '../index.ts';
import {
	changesOf,
	enter,
	framesOf,
	keysOf,
	presenceNode,
	presenceNodes,
	request,
} from '../test-support/presence-nodes.ts';
import { allReceived, answersOf, parse, sendTyped } from '../test-support/typed-client.ts';

describe('presence.authorize', () => {
	it('decides who may see the members of a topic, in it or not, and is told the state', async () => {
		const router = (): SocketRouter<{ name: string }> =>
			new SocketRouter<{ name: string }>().guard((ctx) => {
				ctx.state.name = ctx.userId ?? '';
				return true;
			});
		const { speaker, app } = await presenceNode({
			routers: () => [router()],
			presence: { authorize: (_, topic, state: { name: string }) => state.name === 'ada' && topic === 'room:a' },
		});
		const [ada, ben] = [await speaker('ada'), await speaker('ben')];
		const refused = { code: 'forbidden', message: 'Not authorized to see who is in room:a' };
		expect(await enter(ben, 'room:a')).toEqual(refused);
		expect(keysOf(await request(ada, '@watch', { topic: 'room:a' }))).toEqual(['user:ben']);
		expect(await request(ada, '@watch', { topic: 'room:b' })).toMatchObject({ code: 'forbidden' });
		await enter(await speaker('cy'), 'room:a');
		await until(() => changesOf(ada).length > 0, { what: 'Ada is told' });
		expect(changesOf(ben)).toEqual([]);
		expect(app.refusals.forbidden).toBe(3);
	});

	it('may take its time: later messages wait, and it is asked once', async () => {
		const gates: PromiseWithResolvers<boolean>[] = [];
		const { speaker } = await presenceNode({
			presence: {
				authorize() {
					const gate = Promise.withResolvers<boolean>();
					gates.push(gate);
					return gate.promise;
				},
			},
		});
		const client = await speaker('ada');
		for (const id of ['1', '2', '3']) sendTyped(client, '@watch', { topic: 'room:a' }, id);
		sendTyped(client, '@unwatch', { topic: 'room:b' }, '4');
		await until(() => gates.length === 1, { what: 'it is asked' });
		await allReceived(client);
		expect(gates).toHaveLength(1);
		expect(answersOf(client)).toEqual([]);
		gates[0]?.resolve(true);
		await client.next((message) => parse(message)['correlationId'] === '3');
		expect(gates).toHaveLength(1);
		const ids = answersOf(client).map(([id]) => id);
		expect(ids.filter((id) => id !== '4')).toEqual(['1', '2', '3']);
		expect(ids).toContain('4');
	});

	it('is no longer waited for after limits.handlerTimeoutMs', async () => {
		const { speaker, app } = await presenceNode({
			limits: { handlerTimeoutMs: 50 },
			presence: { authorize: () => new Promise(() => {}) },
		});
		const client = await speaker('ada');
		expect(await request(client, '@watch', { topic: 'room:a' })).toMatchObject({ code: 'timeout' });
		expect(app.refusals.handlerTimeout).toBe(1);
	});

	it('refuses with the code of a SocketError; other failures are logged, and answered with internal', async () => {
		const { speaker, log } = await presenceNode({
			presence: {
				authorize(_, topic) {
					if (topic === 'room:a') throw new SocketError('not_yet', 'The room opens at nine');
					if (topic === 'room:b') return Promise.reject(new Error('the database is away'));
					return 'yes' as never;
				},
			},
		});
		const client = await speaker('ada');
		expect(await request(client, '@watch', { topic: 'room:a' })).toEqual({
			code: 'not_yet',
			message: 'The room opens at nine',
		});
		expect(await request(client, '@watch', { topic: 'room:b' })).toMatchObject({ code: 'internal' });
		expect(await request(client, '@watch', { topic: 'room:c' })).toMatchObject({ code: 'forbidden' });
		expect(log.errors.map(({ message }) => message)).toEqual([
			"Showing a client a topic's members failed",
			'presence.authorize has answered "yes" for room:c, which allows nothing: it must be true or false',
		]);
	});

	it('does not end a watch when the client leaves the topic', async () => {
		const { speaker } = await presenceNode({ presence: { authorize: () => true } });
		const client = await speaker('ada');
		await enter(client, 'room:a');
		await request(client, '@unsubscribe', { topic: 'room:a' });
		await until(() => changesOf(client).some(({ left }) => left?.includes('user:ada') === true), {
			what: 'the client is told that it has left',
		});
	});
});

describe('reauthorize', () => {
	it('ends the watches that are no longer allowed, which their clients are told, on all nodes', async () => {
		const banned = new Set<string>();
		const [one, two] = await presenceNodes({
			presence: { authorize: async (ws, topic) => !banned.has(`${ws.data.userId} ${topic}`) },
		});
		const [ada, ben] = [await one.speaker('ada'), await two.speaker('ben')];
		for (const topic of ['room:a', 'room:b']) {
			await enter(ada, topic);
			await enter(ben, topic);
		}
		banned.add('ben room:a');
		banned.add('ada room:b');
		expect(await one.app.reauthorize({ topic: 'room:a' }, 'room:a')).toMatchObject({ asked: 2, left: 0 });
		await allReceived(ben);
		const ended = { topic: 'room:a', code: 'forbidden', message: 'Not authorized to see who is in room:a' };
		expect(framesOf(ben, '@unwatched').map(({ data }) => data)).toEqual([ended]);
		expect(framesOf(ada, '@unwatched')).toEqual([]);
		const told = changesOf(ben).filter(({ topic }) => topic === 'room:a').length;
		await enter(await one.speaker('cy'), 'room:a');
		await until(() => changesOf(ada).some(({ count }) => count === 3), { what: 'Ada is told' });
		expect(changesOf(ben).filter(({ topic }) => topic === 'room:a')).toHaveLength(told);
		await one.app.reauthorize({ userId: 'ada' });
		await allReceived(ada);
		expect(framesOf(ada, '@unwatched').map(({ data }) => (data as { topic: string }).topic)).toEqual(['room:b']);
	});

	it('asks again about a request that is being decided', async () => {
		const gates: PromiseWithResolvers<boolean>[] = [];
		const { speaker, app } = await presenceNode({
			presence: {
				authorize() {
					const gate = Promise.withResolvers<boolean>();
					gates.push(gate);
					return gate.promise;
				},
			},
		});
		const ada = await speaker('ada');
		const answer = request(ada, '@watch', { topic: 'room:a' });
		await until(() => gates.length === 1, { what: 'it is asked' });
		await app.reauthorize({ userId: 'ada' });
		gates[0]?.resolve(true);
		await until(() => gates.length === 2, { what: 'it is asked again' });
		gates[1]?.resolve(false);
		expect(await answer).toMatchObject({ code: 'forbidden' });
	});

	it('is not needed when credentials are renewed: then, it is asked again by itself', async () => {
		const { speaker } = await presenceNode({
			routers: () => [
				new SocketRouter<{ plan: unknown }>().authenticate((ctx) => {
					ctx.state.plan = ctx.auth;
					return true;
				}),
			],
			presence: { authorize: (_, __, { plan }: { plan: unknown }) => plan === 'paid' },
		});
		const ada = await speaker('ada');
		await request(ada, '@auth', 'paid');
		await enter(ada, 'room:a');
		await request(ada, '@auth', 'paid');
		await allReceived(ada);
		expect(framesOf(ada, '@unwatched')).toEqual([]);
		await request(ada, '@auth', 'free');
		await allReceived(ada);
		expect(framesOf(ada, '@unwatched').map(({ data }) => data)).toMatchObject([{ topic: 'room:a', code: 'forbidden' }]);
		expect(await request(ada, '@watch', { topic: 'room:a' })).toMatchObject({ code: 'forbidden' });
	});

	it('takes a watch away if the decision takes too long', async () => {
		let isSlow = false;
		const { speaker, app } = await presenceNode({
			limits: { handlerTimeoutMs: 50 },
			presence: { authorize: () => (isSlow ? new Promise(() => {}) : true) },
		});
		const ada = await speaker('ada');
		await enter(ada, 'room:a');
		isSlow = true;
		await app.reauthorize({ userId: 'ada' });
		await allReceived(ada);
		expect(framesOf(ada, '@unwatched').map(({ data }) => data)).toMatchObject([{ topic: 'room:a', code: 'timeout' }]);
	});
});
