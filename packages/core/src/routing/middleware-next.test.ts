import { RecordingLogger, connectSpeaker, type TestClient } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, ApplicationError, type Limits, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { allReceived, answersOf, parse, sendTyped } from '../test-support/typed-client.ts';

const Add = SocketMessage.define({ name: 'add', data: z.array(z.number()), reply: z.number() });

const add = ({ data }: { readonly data: readonly number[] }): number => data.reduce((one, other) => one + other, 0);

describe('next()', () => {
	it('throws a named error if it is called twice', async () => {
		const caught: unknown[] = [];
		const router = new SocketRouter()
			.use(async (_, next) => {
				await next();
				try {
					return await next();
				} catch (error) {
					caught.push(error);
					throw error;
				}
			})
			.on(Add, add);
		const { client, log } = await connected(router);

		sendTyped(client, 'add', [1], 'a');
		await client.next();
		expect(answersOf(client)).toEqual([['a', 'internal']]);
		expect(caught).toEqual([new ApplicationError('use(): a middleware called next() of add twice')]);
		expect(log.errors.map(({ message }) => message)).toEqual(['A message handler failed']);
	});

	it('does not run the handler once the middleware has returned; that is logged', async () => {
		const handled: unknown[] = [];
		let late: (() => Promise<unknown>) | undefined;
		const router = new SocketRouter()
			.use((_, next) => {
				late = next;
				return 7;
			})
			.on(Add, ({ data }) => handled.push(data));
		const { client, log } = await connected(router);

		sendTyped(client, 'add', [1], 'a');
		await client.next();
		const error = new ApplicationError('use(): next() of add was called after the middleware had returned');
		await expect(late?.()).rejects.toThrow(error);
		expect(handled).toEqual([]);
		expect(answersOf(client)).toEqual([['a', 7]]);
		expect(log.lines.map(({ details }) => details?.['err'])).toContainEqual(error);
	});

	it('rejects with timeout once the message has timed out; the handler does not run', async () => {
		const refused = Promise.withResolvers<unknown>();
		const gate = Promise.withResolvers<void>();
		const handled: unknown[] = [];
		const router = new SocketRouter()
			.use(async (_, next) => {
				await gate.promise;
				try {
					return await next();
				} catch (error) {
					refused.resolve(error);
					throw error;
				}
			})
			.on(Add, ({ data }) => handled.push(data));
		const { client } = await connected(router, { handlerTimeoutMs: 50 });

		sendTyped(client, 'add', [1], 'a');
		expect(parse(await client.next())['error']).toMatchObject({ code: 'timeout' });
		gate.resolve();
		expect(await refused.promise).toMatchObject({ name: 'SocketError', code: 'timeout' });
		expect(handled).toEqual([]);
		await allReceived(client);
		expect(answersOf(client)).toEqual([['a', 'timeout']]);
	});

	it('has a failure of the handler logged even if the middleware has already answered', async () => {
		const gate = Promise.withResolvers<void>();
		const router = new SocketRouter()
			.use((_, next) => {
				void next();
				return 7;
			})
			.on(Add, async () => {
				await gate.promise;
				throw new Error('too late');
			});
		const { client, log } = await connected(router);

		sendTyped(client, 'add', [1], 'a');
		await client.next();
		expect(answersOf(client)).toEqual([['a', 7]]);
		gate.resolve();
		await log.untilErrors(1);
		expect(log.errors.map(({ message }) => message)).toEqual(['A message handler failed']);
	});
});

describe('use()', () => {
	it.each([undefined, null, 'log', {}, []])('refuses %j, which is not a function', (middleware) => {
		const use = (): unknown => new SocketRouter().use(middleware as never);
		expect(use).toThrow(ApplicationError);
		expect(use).toThrow('use(): middleware must be a function, not ');
	});

	it('throws once the application listens', async () => {
		const router = new SocketRouter();
		await connected(router);

		expect(() => router.use((_, next) => next())).toThrow(
			new ApplicationError('use() must come before the application listens'),
		);
	});
});

interface Connected {
	readonly client: TestClient;
	readonly log: RecordingLogger;
}

async function connected(router: SocketRouter, limits: Limits = {}): Promise<Connected> {
	const log = new RecordingLogger();
	const { ws } = await serve(new Application({ logger: log }).websocket({ limits }).socketRouter(router));
	return { client: await connectSpeaker(ws), log };
}
