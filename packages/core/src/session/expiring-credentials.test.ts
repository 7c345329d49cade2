import { connectSpeaker, until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { Application, type GuardContext, SocketRouter } from '../index.ts';
import { ask, serveGuarded } from '../test-support/guarded-server.ts';
import { serve } from '../test-support/serve.ts';
import { sendTyped } from '../test-support/typed-client.ts';

/** Serves clients whose `@auth` says for how many milliseconds it is valid. */
const validFor = () =>
	new SocketRouter().authenticate((ctx) => {
		if (typeof ctx.auth === 'number') ctx.expiresAt = Date.now() + ctx.auth;
		return true;
	});

describe('a connection whose credentials expire', () => {
	it('is closed with 4401 token_expired, and not before; the answer says for how long they are valid', async () => {
		const { connect, app } = await serveGuarded(validFor());
		const client = await connect();
		const begin = performance.now();
		const { data } = await ask(client, '@auth', 300);
		expect(data['expiresInMs']).toBeLessThanOrEqual(300);
		expect(data['expiresInMs']).toBeGreaterThan(100);
		expect(await client.closed).toEqual({ code: 4401, reason: 'token_expired' });
		expect(performance.now() - begin).toBeGreaterThanOrEqual(300);
		expect(app.refusals.expired).toBe(1);
	});

	it('stays if they are renewed in time, or no longer expire', async () => {
		const { connect, app } = await serveGuarded(validFor());
		const [renewed, unlimited, left] = [await connect(), await connect(), await connect()];
		for (const client of [renewed, unlimited, left]) await ask(client, '@auth', 400);
		expect(await ask(renewed, '@auth', 60_000)).toMatchObject({ data: { expiresInMs: expect.any(Number) } });
		expect((await ask(unlimited, '@auth', null))['data']).not.toHaveProperty('expiresInMs');
		expect(await left.closed).toMatchObject({ code: 4401 });
		for (const client of [renewed, unlimited]) expect(await ask(client, 'state')).toMatchObject({ data: {} });
		expect(app.refusals.expired).toBe(1);
	});

	it('stays until then if the authentication service is away, and goes on once that is back', async () => {
		let isAway = false;
		const { connect, app } = await serveGuarded(
			new SocketRouter().authenticate((ctx) => {
				if (isAway) throw new Error('the authentication service is away');
				ctx.expiresAt = Date.now() + 3_000;
				return true;
			}),
			{ limits: { messagesPerSecond: Infinity } },
		);
		const clients = await Promise.all(Array.from({ length: 20 }, () => connect()));
		for (const client of clients) await ask(client, '@auth');
		isAway = true;
		for (const client of clients) expect(await ask(client, '@auth')).toMatchObject({ error: { code: 'unavailable' } });
		isAway = false;
		for (const client of clients) expect(await ask(client, '@auth')).toMatchObject({ data: {} });
		for (const client of clients) expect(await ask(client, 'state')).toMatchObject({ data: {} });
		expect([app.refusals.expired, app.refusals.guard]).toEqual([0, 0]);
	});

	it('is closed at expiry even while a renewal is being decided', async () => {
		let runs = 0;
		const { connect } = await serveGuarded(
			new SocketRouter().authenticate((ctx) => {
				ctx.expiresAt = Date.now() + 200;
				return ++runs === 1 || new Promise(() => {});
			}),
		);
		const client = await connect();
		await ask(client, '@auth');
		sendTyped(client, '@auth', null, 'a');
		expect(await client.closed).toEqual({ code: 4401, reason: 'token_expired' });
	});

	it('is closed as well if it is plain', async () => {
		const { connectPlain } = await serveGuarded(
			new SocketRouter().guard((ctx) => {
				ctx.expiresAt = new Date(Date.now() + 100);
				return true;
			}),
		);
		expect(await (await connectPlain()).closed).toEqual({ code: 4401, reason: 'token_expired' });
	});

	it('is refused if they have expired already, also when it renews them', async () => {
		const { connect } = await serveGuarded(validFor());
		const [expired, renewing] = [await connect(), await connect()];
		sendTyped(expired, '@auth', -1, 'a');
		expect(await expired.closed).toEqual({ code: 4401, reason: 'token_expired' });
		await ask(renewing, '@auth', 60_000);
		sendTyped(renewing, '@auth', 0, 'b');
		expect(await renewing.closed).toEqual({ code: 4401, reason: 'token_expired' });
	});
});

describe('ctx.expiresAt', () => {
	it.each<[string, unknown, string]>([
		[
			'in seconds',
			1_900_000_000,
			'ctx.expiresAt is 1900000000, which lies before 2001: is it in seconds? It must be a Date, or milliseconds since ' +
				'the epoch',
		],
		['long ago', -1e300, 'ctx.expiresAt is -1e+300, which lies before 2001: is it in seconds?'],
		['0', new Date(0), 'ctx.expiresAt is 0, which lies before 2001'],
		['not a time', NaN, 'ctx.expiresAt must be a valid Date, or milliseconds since the epoch, not NaN'],
		['an invalid date', new Date('?'), 'ctx.expiresAt must be a valid Date'],
		['text', '2030-01-01', 'ctx.expiresAt must be a valid Date, or milliseconds since the epoch, not "2030-01-01"'],
		['null', null, 'ctx.expiresAt must be a valid Date'],
		['never', Infinity, 'leave it undefined if it never expires'],
	])('%s: the connection is closed with 1011, and the log says why', async (_, expiresAt, message) => {
		const { connect, log } = await serveGuarded(
			new SocketRouter().guard((ctx) => {
				ctx.expiresAt = expiresAt as number;
				return true;
			}),
		);
		expect(await (await connect()).closed).toMatchObject({ code: 1011 });
		expect(log.errors).toMatchObject([{ details: { err: { name: 'ApplicationError' } } }]);
		expect(String(log.errors[0]?.details?.['err'])).toContain(message);
	});

	it('may be centuries away, and is undefined at first', async () => {
		const contexts: GuardContext[] = [];
		const { connect } = await serveGuarded(
			new SocketRouter()
				.guard((ctx) => contexts.push(ctx) > 0 && ctx.expiresAt === undefined)
				.guard((ctx) => {
					ctx.expiresAt = new Date('2900-01-01');
					return true;
				}),
		);
		const client = await connect();
		const { data } = await ask(client, '@auth');
		expect(data['expiresInMs']).toBeGreaterThan(2 ** 31);
		expect(contexts[0]?.expiresAt).toEqual(new Date('2900-01-01'));
		await Bun.sleep(600);
		expect(await ask(client, 'state')).toMatchObject({ data: {} });
	});
});

describe('a user id', () => {
	it('comes from upgrade or a guard, and is found in ws.data', async () => {
		const seen: (string | undefined)[] = [];
		const upgrade = (req: Request, response: { userId: string | undefined }): object => {
			response.userId = req.headers.get('x-user') ?? undefined;
			return {};
		};
		const app = new Application()
			.websocket({ upgrade })
			.socketRouter(
				new SocketRouter().guard((ctx) => {
					seen.push(ctx.userId);
					if (ctx.userId === undefined) ctx.userId = 'guest';
					return true;
				}),
			)
			.onWebSocket({ open: (ws) => void seen.push(ws.data.userId) });
		const { ws } = await serve(app);
		await connectSpeaker(ws, { headers: { 'x-user': 'ada' } });
		await until(() => seen.length === 2, { what: 'the first is open' });
		await connectSpeaker(ws);
		await until(() => seen.length === 4, { what: 'the second is open' });
		expect(seen).toEqual(['ada', 'ada', undefined, 'guest']);
	});

	it('is absent from ws.data if no one sets it', async () => {
		const { connect, provider } = await serveGuarded(new SocketRouter());
		await ask(await connect(), '@auth');
		for (const { data } of provider.getConnections()) expect(Object.keys(data)).not.toContain('userId');
	});

	it.each([7, '', 'x'.repeat(257), null, {}])('%j is refused by name', async (userId) => {
		const { connect, log } = await serveGuarded(
			new SocketRouter().guard((ctx) => {
				ctx.userId = userId as string;
				return true;
			}),
		);
		expect(await (await connect()).closed).toMatchObject({ code: 1011 });
		expect(log.errors).toMatchObject([{ details: { err: { name: 'InvalidUserIdError' } } }]);
	});

	it('that upgrade sets wrongly makes the upgrade fail with 500', async () => {
		const { connect, log } = await serveGuarded(new SocketRouter(), {
			upgrade(_req, response) {
				response.userId = 7 as never;
				return {};
			},
		});
		await expect(connect()).rejects.toThrow();
		expect(log.errors).toMatchObject([
			{ message: 'upgrade() has set an invalid response.userId', details: { err: { name: 'InvalidUserIdError' } } },
		]);
	});
});
