import { until } from '@orijs/testkit';
import { InvalidTopicError, SocketMessage, UnknownSocketError } from '@orijs/websocket';
import { SocketRequestError } from '@orijs/websocket/protocol';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type GuardContext, SocketRouter, TooManyTopicsError } from '../index.ts';
import { ask, framesOf, serveGuarded } from '../test-support/guarded-server.ts';
import { sendTyped } from '../test-support/typed-client.ts';

const Ask = SocketMessage.define({ name: 'ask', data: z.null(), reply: z.string() });

describe('what a guard subscribes to', () => {
	it('is asked of the backend at once, but delivered and counted only when all guards have passed', async () => {
		const gate = Promise.withResolvers<boolean>();
		const { connect, provider, other, bus } = await serveGuarded(
			new SocketRouter().guard((ctx) => ctx.subscribe('news').then(() => true)).guard(() => gate.promise),
		);
		const asked: string[] = [];
		const { subscribe } = bus;
		bus.subscribe = (channels) => {
			asked.push(...channels);
			return subscribe(channels);
		};
		const client = await connect();
		await until(() => asked.includes('news'), { what: 'the backend is asked' });
		await other.publish('news', 'too early');
		expect([provider.getTopicSubscriberCount('news'), provider.getTopicCount()]).toEqual([0, 0]);

		gate.resolve(true);
		await until(() => provider.getTopicSubscriberCount('news') === 1, { what: 'it is subscribed' });
		await ask(client, '@auth');
		await other.publish('news', 'in time');
		await client.next((frame) => frame === 'in time');
		expect(client.texts).not.toContain('too early');
		expect(asked.filter((channel) => channel === 'news')).toEqual(['news']);
	});

	it.each<[string, (ctx: GuardContext) => boolean | Promise<boolean>, number]>([
		['refuses', () => false, 4401],
		['throws', () => Promise.reject(new Error('broken')), 1011],
		['takes too long', () => new Promise(() => {}), 4408],
	])('leaves no trace if another guard %s', async (_, last, code) => {
		const asked: string[] = [];
		const released: string[] = [];
		const { connect, provider, bus } = await serveGuarded(
			new SocketRouter().guard((ctx) => ctx.subscribe('news').then(() => true)).guard(last),
			{ limits: { guardTimeoutMs: 50 } },
		);
		const { subscribe, unsubscribe } = bus;
		bus.subscribe = (channels) => {
			asked.push(...channels.filter((channel) => channel === 'news'));
			return subscribe(channels);
		};
		bus.unsubscribe = (channels) => {
			released.push(...channels);
			return unsubscribe(channels);
		};
		const client = await connect();
		expect(await client.closed).toMatchObject({ code });
		// A guard that refuses at once does so before the backend is asked.
		await until(() => asked.length === 0 || released.includes('news'), { what: 'the backend is told' });
		expect([client.messages, provider.getTopicCount(), provider.getConnectionCount()]).toEqual([[], 0, 0]);
	});

	it('leaves no trace if the client leaves, and what a guard asks for after that is refused', async () => {
		const gate = Promise.withResolvers<void>();
		const late = Promise.withResolvers<unknown>();
		const { connect, provider, log } = await serveGuarded(
			new SocketRouter().guard(async (ctx) => {
				await ctx.subscribe('news');
				await gate.promise;
				ctx.subscribe('more').catch(late.resolve);
				return true;
			}),
		);
		const client = await connect();
		await client.close();
		gate.resolve();
		expect(await late.promise).toBeInstanceOf(UnknownSocketError);
		expect([provider.getTopicCount(), log.errors]).toEqual([0, []]);
	});

	it('can be taken back', async () => {
		const { connect } = await serveGuarded(
			new SocketRouter().guard(async (ctx) => {
				await ctx.subscribe('wrong');
				await ctx.subscribe('right');
				await ctx.unsubscribe('wrong');
				await ctx.unsubscribe('unknown');
				return true;
			}),
		);
		const client = await connect();
		await ask(client, '@auth');
		expect(framesOf(client)).toEqual(['@subscribed right', '@auth']);
	});

	it('is subscribed on the live connection if it is asked for after all guards have passed', async () => {
		let ctx: GuardContext | undefined;
		const { connect, provider } = await serveGuarded(new SocketRouter().guard((given) => (ctx = given) !== undefined));
		const client = await connect();
		await ask(client, '@auth');
		await ctx?.subscribe('late');
		expect(provider.getTopicSubscriberCount('late')).toBe(1);
		await ctx?.unsubscribe('late');
		expect(provider.getTopicSubscriberCount('late')).toBe(0);
	});

	it('must be a topic, with known options, and counts towards limits.topicsPerSocket', async () => {
		const errors: unknown[] = [];
		const { connect, app } = await serveGuarded(
			new SocketRouter().guard(async (ctx) => {
				const note = (error: unknown): unknown => errors.push(error);
				await ctx.subscribe('not a topic').catch(note);
				await ctx.subscribe('a', { by: 'client' } as never).catch(note);
				await ctx.subscribe('a');
				await ctx.subscribe('a', { past: false });
				await ctx.subscribe('b');
				await ctx.subscribe('c').catch(note);
				return true;
			}),
			{ limits: { topicsPerSocket: 2 } },
		);
		const client = await connect();
		await ask(client, '@auth');
		expect(errors[0]).toBeInstanceOf(InvalidTopicError);
		expect(String(errors[1])).toContain('ctx.subscribe(): there is no option by');
		expect(errors[2]).toBeInstanceOf(TooManyTopicsError);
		expect(errors[2]).toMatchObject({ topic: 'c', limit: 2 });
		expect([framesOf(client).slice(0, -1), app.refusals.topics]).toEqual([['@subscribed a b'], 1]);
	});

	it('says whether with the past by true or false, and nothing else', async () => {
		const { connect, log } = await serveGuarded(
			new SocketRouter().guard(async (ctx) => {
				await expect(ctx.subscribe('a', { past: 'no' as unknown as boolean })).rejects.toThrow(
					'past of ctx.subscribe() must be true or false, not "no"',
				);
				return true;
			}),
		);
		const client = await connect();
		await ask(client, '@auth');
		expect([framesOf(client).length, log.errors]).toEqual([1, []]);
	});
});

it('ctx.request in a guard rejects at once, and says why', async () => {
	const rejected = Promise.withResolvers<unknown>();
	const { connect } = await serveGuarded(
		new SocketRouter().guard(async (ctx) => {
			await ctx.request(Ask, null).catch(rejected.resolve);
			return true;
		}),
	);
	sendTyped(await connect(), '@auth', null, 'a');
	const error = await rejected.promise;
	expect(error).toBeInstanceOf(SocketRequestError);
	expect(error).toMatchObject({
		code: 'not_ready',
		message:
			'ask failed: nothing is sent to a client before its guards have passed; ask it in onOpen or in a handler (not_ready)',
	});
});
