import { type TestClient, until } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { SocketError } from '@orijs/websocket/protocol';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type AuthenticateContext, SocketRouter } from '../index.ts';
import { ask, framesOf, serveGuarded } from '../test-support/guarded-server.ts';
import { allReceived, answersOf, parse, sendTyped } from '../test-support/typed-client.ts';

interface User {
	name: string;
	plan: string;
	seen: number;
}

const Visit = SocketMessage.define({ name: 'visit', data: z.null(), reply: z.number() });
const HOUR_MS = 3_600_000;

/** Serves an application whose credentials say what `authenticate` does. */
async function serving(
	authenticate: (ctx: AuthenticateContext<User>, auth: any) => boolean | Promise<boolean>,
	options: Parameters<typeof serveGuarded>[1] = {},
) {
	const router = new SocketRouter<User>()
		.authenticate((ctx) => authenticate(ctx, ctx.auth))
		.on(Visit, ({ state }) => ++state.seen);
	const served = await serveGuarded(router, options);
	return {
		...served,
		async connectAs(auth: unknown): Promise<TestClient> {
			const client = await served.connect();
			expect(await ask(client, '@auth', auth)).not.toHaveProperty('error');
			return client;
		},
	};
}

describe('a client that sends @auth again', () => {
	it('has its state, expiry and topics replaced in one step, and loses no message', async () => {
		const { connectAs, other } = await serving(async (ctx, { plan, topics, hours }) => {
			ctx.state.name = 'Ada';
			ctx.state.plan = plan;
			ctx.state.seen ??= 0;
			ctx.expiresAt = Date.now() + hours * HOUR_MS;
			for (const topic of topics) await ctx.subscribe(topic);
			return true;
		});
		const client = await connectAs({ plan: 'free', topics: ['kept', 'left'], hours: 1 });
		expect(await ask(client, 'state')).toMatchObject({ data: { name: 'Ada', plan: 'free', seen: 0 } });

		const renewed = ask(client, '@auth', { plan: 'paid', topics: ['kept', 'new'], hours: 2 });
		for (let i = 0; i < 20; i++) await other.publish('kept', `message ${i}`);
		const { data } = await renewed;
		expect(data['expiresInMs']).toBeGreaterThan(1.9 * HOUR_MS);
		expect(data['expiresInMs']).toBeLessThanOrEqual(2 * HOUR_MS);
		expect(await ask(client, 'state')).toMatchObject({ data: { name: 'Ada', plan: 'paid', seen: 0 } });
		await client.next((frame) => frame === 'message 19');
		expect(client.texts.filter((text) => text.startsWith('message'))).toHaveLength(20);
		await until(() => noticesOf(client).length === 3, { what: 'the changes are told' });
		expect(noticesOf(client)).toEqual(['@subscribed kept left', '@unsubscribed left', '@subscribed new']);
		const left = client.texts.find((text) => text.includes('@unsubscribed'));
		expect(parse(left ?? '')).toMatchObject({ data: { topics: [{ topic: 'left', code: 'unsubscribed' }] } });
	});

	it('is not held up: its messages are handled meanwhile, and what they change in the state remains', async () => {
		const gate = Promise.withResolvers<void>();
		let runs = 0;
		const { connectAs } = await serving(async (ctx) => {
			if (++runs === 2) await gate.promise;
			ctx.state.plan = `plan ${runs}`;
			ctx.state.seen ??= 0;
			return true;
		});
		const client = await connectAs('token');
		sendTyped(client, '@auth', 'new token', 'renewal');
		await until(() => runs === 2, { what: 'the guards run' });
		expect(await ask(client, 'visit', null)).toMatchObject({ data: 1 });
		expect(await ask(client, 'state')).toMatchObject({ data: { plan: 'plan 1', seen: 1 } });
		gate.resolve();
		await client.next((frame) => parse(frame)['correlationId'] === 'renewal');
		expect(await ask(client, 'state')).toMatchObject({ data: { plan: 'plan 2', seen: 1 } });
	});

	it('need not wait for a handler that runs', async () => {
		const gate = Promise.withResolvers<number>();
		const Slow = SocketMessage.define({ name: 'slow', data: z.null(), reply: z.number() });
		const router = new SocketRouter().authenticate(() => true).on(Slow, () => gate.promise);
		const { connect } = await serveGuarded(router);
		const client = await connect();
		await ask(client, '@auth', 'token');
		sendTyped(client, 'slow', null, 'slow');
		expect(await ask(client, '@auth', 'new token')).toMatchObject({ data: {} });
		expect(answersOf(client).map(([id]) => id)).not.toContain('slow');
		gate.resolve(1);
		await client.next((frame) => parse(frame)['correlationId'] === 'slow');
	});

	it('has that answered after its first one, for which it waits while its connection opens', async () => {
		const gate = Promise.withResolvers<void>();
		let runs = 0;
		const { connect } = await serving(() => ++runs > 0, { handlers: { open: () => gate.promise } });
		const client = await connect();
		for (const id of ['a', 'b']) sendTyped(client, '@auth', 'token', id);
		await allReceived(client);
		expect([runs, answersOf(client)]).toEqual([1, []]);
		gate.resolve();
		await client.received(3);
		expect([runs, answersOf(client).map(([id]) => id)]).toEqual([2, ['a', 'b']]);
	});

	it('has its credentials looked at even if another frame was its first', async () => {
		const { connect } = await serving((ctx, auth) => {
			ctx.state.name = auth ?? 'a guest';
			return auth !== 'bad';
		});
		const client = await connect();
		expect(await ask(client, 'state')).toMatchObject({ data: { name: 'a guest' } });
		await ask(client, '@auth', 'Ada');
		expect(await ask(client, 'state')).toMatchObject({ data: { name: 'Ada' } });
		sendTyped(client, '@auth', 'bad', 'a');
		expect(await client.closed).toEqual({ code: 4401, reason: 'unauthorized' });
	});

	it('is closed with 4401 if a guard refuses it, with its code', async () => {
		const { connectAs, app, log } = await serving((_ctx, auth) => {
			if (auth === 'stolen') throw new SocketError('token_revoked', 'Log in again');
			return auth === 'good';
		});
		const [a, b] = [await connectAs('good'), await connectAs('good')];
		sendTyped(a, '@auth', 'bad', 'a');
		sendTyped(b, '@auth', 'stolen', 'b');
		expect(await a.closed).toEqual({ code: 4401, reason: 'unauthorized' });
		expect(await b.closed).toEqual({ code: 4401, reason: 'token_revoked' });
		expect([app.refusals.guard, log.errors]).toEqual([2, []]);
	});

	it('is closed with 4401 if it is another user', async () => {
		const { connectAs, provider } = await serving((ctx, auth) => {
			ctx.userId = auth;
			return true;
		});
		const client = await connectAs('ada');
		expect(await ask(client, '@auth', 'ada')).not.toHaveProperty('error');
		expect([...provider.getConnections()].map(({ data }) => data.userId)).toEqual(['ada']);
		sendTyped(client, '@auth', 'bob', 'a');
		expect(await client.closed).toEqual({ code: 4401, reason: 'another_user' });
	});

	it('keeps what it has if a guard throws, is unavailable or takes too long, and may try again', async () => {
		let runs = 0;
		const { connectAs, provider } = await serving(
			async (ctx, auth) => {
				ctx.state.plan = `plan ${++runs}`;
				await ctx.subscribe(`run-${runs}`);
				if (auth === 'throw') throw new Error('the auth service is away');
				if (auth === 'unavailable') throw new SocketError('unavailable', 'the auth service is away');
				if (auth === 'hang') await new Promise(() => {});
				return true;
			},
			{ limits: { guardTimeoutMs: 60 } },
		);
		const client = await connectAs('good');
		for (const auth of ['throw', 'unavailable', 'hang']) {
			expect(await ask(client, '@auth', auth)).toMatchObject({ error: { code: 'unavailable' } });
			expect(await ask(client, 'state')).toMatchObject({ data: { plan: 'plan 1' } });
		}
		expect([1, 2, 3, 4].map((run) => provider.getTopicSubscriberCount(`run-${run}`))).toEqual([1, 0, 0, 0]);
		expect(await ask(client, '@auth', 'good')).toMatchObject({ data: {} });
		expect(await ask(client, 'state')).toMatchObject({ data: { plan: 'plan 5' } });
	});

	it('is asked for one thing at a time: a flood of @auth does not run the guards at once', async () => {
		const gate = Promise.withResolvers<boolean>();
		let [running, most, runs] = [0, 0, 0];
		const { connectAs, app } = await serving(async () => {
			if (++runs === 1) return true;
			most = Math.max(most, ++running);
			const passed = await gate.promise;
			running--;
			return passed;
		});
		const client = await connectAs('token');
		for (let i = 0; i < 50; i++) sendTyped(client, '@auth', 'token', `auth ${i}`);
		await client.received(50);
		gate.resolve(true);
		await client.next((frame) => parse(frame)['correlationId'] === 'auth 0');
		const codes = answersOf(client)
			.slice(1)
			.map(([, answer]) => answer);
		expect(codes.filter((code) => code === 'too_many_requests')).toHaveLength(49);
		expect([most, runs, app.refusals.requests]).toEqual([1, 2, 49]);
	});

	it('that leaves, or whose server stops, while the guards run, leaves nothing behind', async () => {
		const gates: PromiseWithResolvers<boolean>[] = [];
		const { app, connectAs, provider, log } = await serving(async (ctx, auth) => {
			if (auth !== 'wait') return true;
			await ctx.subscribe('later');
			const gate = Promise.withResolvers<boolean>();
			gates.push(gate);
			return gate.promise;
		});
		const [leaving, staying] = [await connectAs('token'), await connectAs('token')];
		for (const client of [leaving, staying]) sendTyped(client, '@auth', 'wait', 'a');
		await until(() => gates.length === 2, { what: 'the guards run' });
		await leaving.close();
		await until(() => provider.getConnectionCount() === 1, { what: 'one has left' });
		const stopped = app.stop();
		expect(await staying.closed).toMatchObject({ code: 1012 });
		for (const { resolve } of gates) resolve(true);
		await stopped;
		expect([provider.getConnectionCount(), provider.getTopicCount(), log.errors]).toEqual([0, 0, []]);
	});

	it('reaches guards with the headers of its upgrade', async () => {
		const seen: unknown[] = [];
		const { connect } = await serveGuarded(
			new SocketRouter().guard((ctx) => seen.push([ctx.headers.toJSON(), ctx.cookies.get('a'), ctx.remoteAddress]) > 0),
		);
		const client = await connect({ headers: { cookie: 'a=ü%20b; c=d', 'x-tenant': 'acme' } });
		await ask(client, '@auth');
		await ask(client, '@auth');
		expect(seen).toHaveLength(2);
		expect(seen[1]).toEqual(seen[0]);
	});
});

describe('without authenticate', () => {
	it('the first @auth is answered, and each further one runs all guards again', async () => {
		let runs = 0;
		const { connect } = await serveGuarded(new SocketRouter().guard(() => ++runs > 0));
		const client = await connect();
		sendTyped(client, '@auth', 'token', 'a');
		sendTyped(client, '@auth', 'token', 'b');
		await client.received(2);
		expect([answersOf(client).map(([id]) => id), runs]).toEqual([['a', 'b'], 2]);
	});

	it('and without guards, every @auth is answered', async () => {
		const { connect } = await serveGuarded(new SocketRouter());
		const client = await connect();
		for (let i = 0; i < 3; i++) expect(await ask(client, '@auth', 'token')).not.toHaveProperty('error');
	});
});

it('under load, many clients renew at once and again, and miss nothing', async () => {
	const [clients, renewals, messages] = [200, 3, 100];
	const { connectAs, other } = await serving(
		async (ctx, auth) => {
			await Bun.sleep(Math.random() * 20);
			ctx.userId = auth;
			ctx.expiresAt = Date.now() + HOUR_MS;
			await ctx.subscribe('news');
			await ctx.subscribe(`user:${auth}`);
			return true;
		},
		{ limits: { messagesPerSecond: Infinity } },
	);
	const all = await Promise.all(Array.from({ length: clients }, (_, i) => connectAs(`user-${i}`)));
	const publishing = (async () => {
		for (let i = 0; i < messages; i++) {
			await other.publish('news', `news ${i}`);
			await Bun.sleep(2);
		}
	})();
	await Promise.all(
		all.map(async (client, i) => {
			for (let n = 0; n < renewals; n++) {
				expect(await ask(client, '@auth', `user-${i}`)).toMatchObject({ data: {} });
				await Bun.sleep(Math.random() * 50);
			}
		}),
	);
	await publishing;
	const expected = Array.from({ length: messages }, (_, i) => `news ${i}`);
	for (const client of all) {
		await client.next((frame) => frame === `news ${messages - 1}`);
		expect(client.texts.filter((text) => text.startsWith('news'))).toEqual(expected);
	}
	// They were in their topics all the time, so no further notice came.
	for (const client of all) {
		const frames = framesOf(client);
		expect(frames.slice(frames.indexOf('@auth'))).toEqual(Array.from({ length: 1 + renewals }, () => '@auth'));
	}
}, 30_000);

/** The notices that a client has received. */
function noticesOf(client: TestClient): string[] {
	return framesOf(client).filter((frame) => frame.includes('subscribed'));
}
