import { connectSpeaker, type TestClient, until } from '@orijs/testkit';
import { InProcWsProvider } from '@orijs/websocket';
import type { WatchAnswer } from '@orijs/websocket/protocol';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
	AsyncPresenceSchemaError,
	type AuthenticateContext,
	type PresenceInfoContext,
	type EndpointPresenceOptions,
	SocketEndpoint,
	SocketRouter,
	type UpgradeResponse,
} from '../index.ts';
import { changesOf, enter, presenceNode, request } from '../test-support/presence-nodes.ts';
import { serveEndpoints } from '../test-support/serve-endpoints.ts';

async function infosIn(client: TestClient, topic: string): Promise<unknown[]> {
	const { members } = await request<WatchAnswer>(client, '@watch', { topic });
	return members?.map(({ info }) => info) ?? [];
}

interface State {
	name: string;
	topics: readonly string[];
}

/** Clients send their name and topics with `@auth`. */
function authenticating(): SocketRouter<State> {
	return new SocketRouter<State>().authenticate(async (ctx: AuthenticateContext<State>) => {
		const { name, topics } = ctx.auth as State;
		ctx.state.name = name;
		for (const topic of topics) await ctx.subscribe(topic);
		return true;
	});
}

describe('presence.info', () => {
	it('is told the topic, the state that guards have set and the socket, also of plain connections', async () => {
		const contexts: PresenceInfoContext<State>[] = [];
		const { speaker, plain } = await presenceNode({
			routers: () => [
				new SocketRouter<State>().guard(async (ctx) => {
					ctx.state.name = `${ctx.userId}!`;
					await ctx.subscribe('room:a');
					return true;
				}),
			],
			presence: {
				info(ctx: PresenceInfoContext<State>) {
					contexts.push(ctx);
					return { name: ctx.state.name };
				},
			},
		});
		await plain('ben');
		const ada = await speaker('ada');
		expect(await infosIn(ada, 'room:a')).toEqual([{ name: 'ada!' }, { name: 'ben!' }]);
		const [ben] = contexts;
		expect(ben?.topic).toBe('room:a');
		expect(ben?.userId).toBe('ben');
		expect(ben?.ws.data.socketId).toBe(ben?.socketId);
		expect(contexts).toHaveLength(2);
	});

	it('is asked again when credentials have been renewed, before the client is told so', async () => {
		const { speaker } = await presenceNode({
			routers: () => [authenticating()],
			presence: { info: (ctx) => ({ name: ctx.state.name }) },
		});
		const ada = await speaker('ada');
		await request(ada, '@auth', { name: 'Ada', topics: ['room:a', 'room:b'] });
		const ben = await speaker('ben');
		await request(ben, '@auth', { name: 'Ben', topics: ['room:a'] });
		expect(await infosIn(ben, 'room:a')).toEqual([{ name: 'Ada' }, { name: 'Ben' }]);

		await request(ada, '@auth', { name: 'Countess', topics: ['room:a', 'room:b', 'room:c'] });
		for (const topic of ['room:a', 'room:b', 'room:c'])
			expect((await infosIn(ada, topic))[0]).toEqual({ name: 'Countess' });
		await until(() => changesOf(ben).some(({ updated }) => updated?.[0]?.info?.['name'] === 'Countess'), {
			what: 'Ben is told',
		});
	});

	it('may return nothing', async () => {
		const { speaker, log } = await presenceNode({ presence: { info: () => undefined } });
		const ada = await speaker('ada');
		const { members } = await enter(ada, 'room:a');
		expect(members?.[0]).not.toHaveProperty('info');
		expect(log.errors).toEqual([]);
	});

	it('is as it was when it was returned, whatever happens to the object later', async () => {
		const profile = { name: 'Ada', tags: ['new'] };
		const { speaker } = await presenceNode({ presence: { info: () => profile } });
		const ada = await speaker('ada');
		await enter(ada, 'room:a');
		profile.name = 'Eve';
		profile.tags.push('late');
		await request(ada, '@update', { topic: 'room:a', info: { status: 'away' } });
		expect((await request(ada, '@watch', { topic: 'room:a' })).members[0].info).toEqual({
			name: 'Ada',
			tags: ['new'],
			status: 'away',
		});
	});

	it.each<[what: string, EndpointPresenceOptions, error: RegExp]>([
		[
			'throws',
			{
				info() {
					throw new Error('no profile');
				},
			},
			/no profile/,
		],
		[
			'returns a promise',
			{ info: (async () => ({})) as never },
			/presence\.info has returned a promise: it must answer at once/,
		],
		['returns text', { info: (() => 'Ada') as never }, /presence\.info must return an object or undefined, not "Ada"/],
		['returns null', { info: (() => null) as never }, /presence\.info must return an object or undefined, not null/],
		[
			'returns too much',
			{ info: () => ({ x: 'x'.repeat(2_000) }) },
			/has 2008 bytes as JSON; at most 1024 are allowed/,
		],
		['returns what JSON lacks', { info: () => ({ n: 1n }) }, /info\.n is a bigint: only text, finite numbers/],
		[
			'has a schema that returns what JSON lacks',
			{ info: () => ({ at: 0 }), schema: z.object({ at: z.number().transform((ms) => new Date(ms)) }) },
			/what presence\.schema has returned is not allowed: .* info\.at is of type Date/,
		],
		[
			'does not match the schema',
			{ info: () => ({ name: 1 }), schema: z.object({ name: z.string() }) },
			/presence\.info.*name/,
		],
		[
			'has an asynchronous schema',
			{ info: () => ({ name: 'Ada' }), schema: z.object({ name: z.string().refine(async () => true) }) },
			/presence\.schema must be synchronous: it has returned a promise/,
		],
		[
			'has a schema that returns text',
			{ info: () => ({ name: 'Ada' }), schema: z.object({ name: z.string() }).transform(({ name }) => name) as never },
			/presence\.schema has returned "Ada", which is no object/,
		],
	])('that %s is logged; the member is told without it', async (_, presence, error) => {
		const { speaker, log } = await presenceNode({ presence });
		const ada = await speaker('ada');
		const { count, members } = await enter(ada, 'room:a');
		expect(count).toBe(1);
		expect(members?.[0]).not.toHaveProperty('info');
		await log.untilErrors(1);
		expect(String(log.errors[0]?.details?.['err'])).toMatch(error);
	});

	it('that fails does not let clients fill the log', async () => {
		const { speaker, log } = await presenceNode({
			limits: { messagesPerSecond: Infinity },
			presence: {
				info() {
					throw new Error('no profile');
				},
			},
		});
		const ada = await speaker('ada');
		for (let i = 0; i < 200; i++) {
			await request(ada, '@subscribe', { topic: 'room:a' });
			await request(ada, '@unsubscribe', { topic: 'room:a' });
		}
		expect(log.problems.length).toBeLessThan(5);
	});

	it('belongs to its endpoint, if several share a provider, until that stops', async () => {
		const provider = new InProcWsProvider({ presence: { 'room:*': {} } });
		const upgrade = (req: Request, response: UpgradeResponse): object => {
			response.userId = new URL(req.url).searchParams.get('user') ?? undefined;
			return {};
		};
		const authorize = { subscribe: () => true };
		const endpoint = (path: string, info?: () => object): SocketEndpoint =>
			new SocketEndpoint(provider, { path, upgrade, authorize, presence: info === undefined ? {} : { info } });
		const [main, other] = [endpoint('/ws', () => ({ from: 'main' })), endpoint('/other', () => ({ from: 'other' }))];
		const { ws } = await serveEndpoints(main, other, endpoint('/third'));
		const third = await connectSpeaker(`${ws.replace('/ws', '/third')}?user=cy`);
		await enter(await connectSpeaker(`${ws}?user=ada`), 'room:a');
		await enter(await connectSpeaker(`${ws.replace('/ws', '/other')}?user=ben`), 'room:a');
		await enter(third, 'room:a');
		expect(await infosIn(third, 'room:a')).toEqual([{ from: 'main' }, { from: 'other' }, undefined]);
	});
});

describe('an asynchronous presence.schema', () => {
	it('is answered with internal, and logged', async () => {
		const schema = z.object({ note: z.string().refine(async () => true) });
		const { speaker, log } = await presenceNode({ presence: { schema } });
		const ada = await speaker('ada');
		await enter(ada, 'room:a');
		expect(await request(ada, '@update', { topic: 'room:a', info: { note: 'x' } })).toMatchObject({ code: 'internal' });
		expect(log.errors[0]?.details?.['err']).toBeInstanceOf(AsyncPresenceSchemaError);
	});
});
