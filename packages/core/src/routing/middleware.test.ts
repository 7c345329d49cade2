import { connectSpeaker, RecordingLogger, type TestClient, until } from '@orijs/testkit';
import { SocketError, SocketMessage } from '@orijs/websocket';
import { MessageValidationError } from '@orijs/websocket/protocol';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type MessageMiddleware, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { allReceived, answersOf, parse, sendTyped } from '../test-support/typed-client.ts';

const Add = SocketMessage.define({ name: 'add', data: z.array(z.number()), reply: z.number() });
const Note = SocketMessage.define({ name: 'note', data: z.coerce.number() });

const add = ({ data }: { readonly data: readonly number[] }): number => data.reduce((one, other) => one + other, 0);

describe('middleware', () => {
	it('runs around each message of its router, the first one outermost, whenever its handler was added', async () => {
		const steps: string[] = [];
		const step = (name: string): MessageMiddleware<object> => {
			return async (ctx, next) => {
				steps.push(`${name} before ${ctx.type}`);
				const answer = await next();
				steps.push(`${name} after ${String(answer)}`);
				return answer;
			};
		};
		const router = new SocketRouter()
			.use(step('outer'))
			.on(Add, (ctx) => {
				steps.push('handler');
				return add(ctx);
			})
			.use(step('inner'));
		const { client } = await connected(router);

		sendTyped(client, 'add', [1, 2], 'a');
		expect(parse(await client.next())).toEqual({ type: 'add', correlationId: 'a', data: 3 });
		expect(steps).toEqual(['outer before add', 'inner before add', 'handler', 'inner after 3', 'outer after 3']);
	});

	it('does not run around the messages of other routers', async () => {
		const seen: string[] = [];
		const watched = new SocketRouter().on(Note, () => {}).use(recordTypes(seen));
		const { client } = await connected(watched, new SocketRouter().on(Add, add));

		sendTyped(client, 'add', [1], 'a');
		sendTyped(client, 'note', 1, 'b');
		await client.received(2);
		expect(seen).toEqual(['note']);
	});

	it('finds the data as it was sent before next(), validated after it, and the state of the guards', async () => {
		interface User {
			user: string;
		}
		const seen: unknown[] = [];
		const router = new SocketRouter<User>()
			.guard((ctx) => {
				ctx.state.user = 'Ada';
				return true;
			})
			.use(async (ctx, next) => {
				seen.push(ctx.data, ctx.state.user, ctx.correlationId);
				await next();
				seen.push(ctx.data);
			})
			.on(Note, () => {});
		const { client } = await connected(router);

		sendTyped(client, 'note', '7', 'a');
		await client.next();
		expect(seen).toEqual(['7', 'Ada', 'a', 7]);
	});

	it('sees messages with invalid data, and those that a guard or the handler refuses', async () => {
		const seen: unknown[] = [];
		const router = new SocketRouter()
			.use(async (ctx, next) => {
				try {
					return await next();
				} catch (error) {
					seen.push([ctx.correlationId, (error as SocketError).code ?? error, (error as Error).cause]);
					throw error;
				}
			})
			.on(Add, add, { guards: [({ data }) => data.length < 3] })
			.on(Note, ({ data }) => {
				throw data === 1 ? new SocketError('too_late', 'Too late') : new Error('a bug');
			});
		const { app, client, log } = await connected(router);

		sendTyped(client, 'add', ['1'], 'invalid');
		sendTyped(client, 'add', [1, 2, 3], 'forbidden');
		sendTyped(client, 'note', 1, 'refused');
		sendTyped(client, 'note', 2, 'failed');
		await client.received(4);
		expect(answersOf(client)).toEqual([
			['invalid', 'invalid_data'],
			['forbidden', 'forbidden'],
			['refused', 'too_late'],
			['failed', 'internal'],
		]);
		expect(seen).toEqual([
			['invalid', 'invalid_data', expect.any(MessageValidationError)],
			['forbidden', 'forbidden', undefined],
			['refused', 'too_late', undefined],
			['failed', new Error('a bug'), undefined],
		]);
		expect(app.refusals).toMatchObject({ data: 1, forbidden: 1 });
		expect(log.errors).toEqual([
			{
				level: 'error',
				message: 'A message handler failed',
				details: expect.objectContaining({ type: 'note', err: new Error('a bug') }) as unknown,
			},
		]);
	});

	it('tells the client why its data is invalid, as without middleware', async () => {
		const plain = await connected(new SocketRouter().on(Add, add));
		const wrapped = await connected(new SocketRouter().on(Add, add).use((_, next) => next()));

		for (const { client } of [plain, wrapped]) sendTyped(client, 'add', 'text', 'a');
		expect(parse(await wrapped.client.next())).toEqual(parse(await plain.client.next()));
	});

	it('answers with what it returns; if that is nothing, with what next() resolves to, awaited or not', async () => {
		const router = new SocketRouter()
			.use(async (ctx, next) => {
				if (ctx.correlationId === 'doubled') return 2 * ((await next()) as number);
				if (ctx.correlationId === 'awaited') await next();
				if (ctx.correlationId === 'not awaited') void next();
				return undefined;
			})
			.on(Add, async (ctx) => add(ctx));
		const { client } = await connected(router);

		for (const id of ['doubled', 'awaited', 'not awaited']) sendTyped(client, 'add', [1, 2], id);
		await client.received(3);
		expect(answersOf(client)).toEqual([
			['doubled', 6],
			['awaited', 3],
			['not awaited', 3],
		]);
	});

	it('can catch an error to answer with something else; if it returns nothing, the error is the answer', async () => {
		const router = new SocketRouter()
			.use(async ({ correlationId }, next) => {
				try {
					await next();
				} catch {
					if (correlationId === 'recovered') return 0;
				}
				return undefined;
			})
			.on(Add, () => {
				throw new SocketError('overflow', 'Too large');
			});
		const { client } = await connected(router);

		for (const id of ['recovered', 'caught']) sendTyped(client, 'add', [1], id);
		await client.received(2);
		expect(answersOf(client)).toEqual([
			['recovered', 0],
			['caught', 'overflow'],
		]);
	});

	it('answers in place of the handler, or refuses, if it does not call next()', async () => {
		const handled: unknown[] = [];
		const router = new SocketRouter()
			.use(({ data }, next) => {
				if (data === 'cached') return 42;
				if (data === 'limited') throw new SocketError('rate_limited', 'Slow down');
				return next();
			})
			.on(Add, (ctx) => {
				handled.push(ctx.data);
				return add(ctx);
			});
		const { client } = await connected(router);

		sendTyped(client, 'add', 'cached', 'a');
		sendTyped(client, 'add', 'limited', 'b');
		sendTyped(client, 'add', [1], 'c');
		await client.received(3);
		expect(answersOf(client)).toEqual([
			['a', 42],
			['b', 'rate_limited'],
			['c', 1],
		]);
		expect(handled).toEqual([[1]]);
	});

	it('has its answer validated: a wrong one fails the message', async () => {
		const { client, log } = await connected(new SocketRouter().use(() => 'text').on(Add, add));

		sendTyped(client, 'add', [1], 'a');
		await client.next();
		expect(answersOf(client)).toEqual([['a', 'internal']]);
		expect(log.errors.map(({ message }) => message)).toEqual(['A message handler failed']);
	});

	it('can limit the messages of each user', async () => {
		const used = new Map<string, number>();
		const router = new SocketRouter<{ user: string }>()
			.authenticate((ctx) => {
				ctx.state.user = String(ctx.auth);
				return true;
			})
			.use(({ state }, next) => {
				const count = (used.get(state.user) ?? 0) + 1;
				used.set(state.user, count);
				if (count > 2) throw new SocketError('rate_limited', 'Two messages per user');
				return next();
			})
			.on(Add, add);
		const { client, url } = await connected(router);
		const other = await connectSpeaker(url);

		for (const each of [client, other]) sendTyped(each, '@auth', 'Ada');
		sendTyped(client, 'add', [1], 'a');
		sendTyped(client, 'add', ['invalid'], 'b');
		await client.received(2);
		sendTyped(other, 'add', [1], 'c');
		await other.next();
		expect(answersOf(other)).toEqual([['c', 'rate_limited']]);
	});

	it('keeps the messages of a connection in order', async () => {
		const gate = Promise.withResolvers<void>();
		const handled: number[] = [];
		const router = new SocketRouter()
			.use(async ({ data }, next) => {
				if (data === 1) await gate.promise;
				return next();
			})
			.on(Note, ({ data }) => void handled.push(data));
		const { client } = await connected(router);

		for (const number of [1, 2, 3]) sendTyped(client, 'note', number);
		await allReceived(client);
		expect(handled).toEqual([]);
		gate.resolve();
		await until(() => handled.length === 3, { what: 'all messages are handled' });
		expect(handled).toEqual([1, 2, 3]);
	});
});

function recordTypes(seen: string[]): MessageMiddleware<object> {
	return (ctx, next) => {
		seen.push(ctx.type);
		return next();
	};
}

interface Connected {
	readonly app: Application;
	readonly url: string;
	readonly client: TestClient;
	readonly log: RecordingLogger;
}

async function connected(...routers: readonly SocketRouter<any>[]): Promise<Connected> {
	const log = new RecordingLogger();
	const app = new Application({ logger: log }).websocket();
	for (const router of routers) app.socketRouter(router);
	const { ws: url } = await serve(app);
	return { app, url, client: await connectSpeaker(url), log };
}
