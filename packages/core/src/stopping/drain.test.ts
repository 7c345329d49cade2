import { connectSpeaker } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { readRetryHint } from '@orijs/websocket/protocol';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { answersOf, allReceived, ACCEPTED, parse, sendTyped } from '../test-support/typed-client.ts';

const Job = SocketMessage.define({ name: 'job', data: z.number(), reply: z.string() });
const News = SocketMessage.define({ name: 'news', data: z.string() });
const Name = SocketMessage.define({ name: 'name', data: z.null(), reply: z.string() });

/** Creates an application whose job handlers wait until the test releases them. */
function jobs(): { app: Application; started: number[]; releaseHandlers: () => void } {
	const started: number[] = [];
	const gate = Promise.withResolvers<void>();
	const router = new SocketRouter().on(Job, async ({ data }) => {
		started.push(data);
		await gate.promise;
		return `did ${data}`;
	});
	return { app: new Application().websocket().socketRouter(router), started, releaseHandlers: gate.resolve };
}

describe('a connection that stop() ends', () => {
	it('receives the answer of the running handler, then 1012 with a retry hint', async () => {
		const { app, releaseHandlers } = jobs();
		const client = await connectSpeaker((await serve(app)).ws);
		sendTyped(client, 'job', 1, 'a');
		await allReceived(client);

		const stopped = app.stop();
		releaseHandlers();
		const { code, reason } = await client.closed;
		expect(answersOf(client)).toEqual([['a', 'did 1']]);
		expect(code).toBe(1012);
		expect(readRetryHint(reason)).toBeTypeOf('number');
		await stopped;
	});

	it('is closed with a reason that says whether all its requests were answered', async () => {
		const done = jobs();
		const quiet = await connectSpeaker((await serve(done.app)).ws);
		await allReceived(quiet);
		await done.app.stop();
		expect((await quiet.closed).reason).toMatch(/^server is stopping; drained; retry-after-ms=\d+$/);

		const hanging = jobs();
		const waiting = await connectSpeaker((await serve(hanging.app)).ws);
		sendTyped(waiting, 'job', 1, 'a');
		await allReceived(waiting);
		await hanging.app.stop({ graceMs: 20 });
		expect((await waiting.closed).reason).toMatch(/^server is stopping; retry-after-ms=\d+$/);
	});

	it.each([
		['synchronously', (app: Application) => void app.stop()],
		['in an async handler', async (app: Application) => void app.stop()],
	])('receives the answer of a handler that stops the application, %s', async (_, stop) => {
		const app: Application = new Application().websocket().socketRouter(new SocketRouter().on(News, () => stop(app)));
		const client = await connectSpeaker((await serve(app)).ws);
		sendTyped(client, 'news', 'stop', 'a');
		expect(await client.closed).toMatchObject({ code: 1012 });
		expect(answersOf(client)).toEqual([['a', null]]);
	});

	it('has its queued messages handled, in order', async () => {
		const { app, started, releaseHandlers } = jobs();
		const client = await connectSpeaker((await serve(app)).ws);
		for (const [number, id] of ['a', 'b', undefined, 'd'].entries()) sendTyped(client, 'job', number, id);
		await allReceived(client);
		expect(started).toEqual([0]);

		const stopped = app.stop();
		releaseHandlers();
		expect(await client.closed).toMatchObject({ code: 1012 });
		expect(started).toEqual([0, 1, 2, 3]);
		expect(answersOf(client)).toEqual([
			['a', 'did 0'],
			['b', 'did 1'],
			['d', 'did 3'],
		]);
		await stopped;
	});

	it('has later messages refused with stopping', async () => {
		const { app, started, releaseHandlers } = jobs();
		const client = await connectSpeaker((await serve(app)).ws);
		sendTyped(client, 'job', 1, 'in time');
		await allReceived(client);

		const stopped = app.stop();
		sendTyped(client, 'job', 2, 'late');
		sendTyped(client, 'job', 3);
		sendTyped(client, '@subscribe', { topic: 'news' }, 'late topic');
		await allReceived(client);
		releaseHandlers();
		await client.closed;
		expect(started).toEqual([1]);
		expect(answersOf(client)).toEqual([
			['late', 'stopping'],
			[undefined, 'stopping'],
			['late topic', 'stopping'],
			['in time', 'did 1'],
		]);
		await stopped;
	});

	it("can still reply to the server's requests, even ones sent after stop()", async () => {
		const started = Promise.withResolvers<void>();
		const gate = Promise.withResolvers<void>();
		const router = new SocketRouter().on(Job, async (ctx) => {
			started.resolve();
			await gate.promise;
			return `did it for ${await ctx.request(Name, null)}`;
		});
		const app = new Application().websocket().socketRouter(router);
		const client = await connectSpeaker((await serve(app)).ws);
		sendTyped(client, 'job', 1, 'a');
		await started.promise;

		const stopped = app.stop();
		gate.resolve();
		const asked = parse(await client.next((message) => parse(message)['name'] === 'name'));
		sendTyped(client, '@reply', 'Ada', String(asked['correlationId']));
		expect(await client.closed).toMatchObject({ code: 1012 });
		expect(answersOf(client)).toEqual([['a', 'did it for Ada']]);
		await stopped;
	});

	it('receives messages published while its handler runs', async () => {
		const started = Promise.withResolvers<void>();
		const gate = Promise.withResolvers<void>();
		const router = new SocketRouter().on(Job, async (ctx) => {
			await ctx.subscribe('news');
			started.resolve();
			await gate.promise;
			await ctx.emit(News, 'news', 'from its own handler');
			return 'did it';
		});
		const app = new Application().websocket().socketRouter(router);
		const client = await connectSpeaker((await serve(app)).ws, { withoutNotices: true });
		sendTyped(client, 'job', 1, 'a');
		await started.promise;

		const stopped = app.stop();
		await app.socket.emit(News, 'news', 'from elsewhere');
		gate.resolve();
		await client.closed;
		expect(client.texts.map((text) => parse(text)['data'])).toEqual([
			'from elsewhere',
			'from its own handler',
			'did it',
		]);
		await stopped;
	});

	it('receives the answer to a subscription whose authorization is pending', async () => {
		const asked = Promise.withResolvers<void>();
		const decision = Promise.withResolvers<boolean>();
		const subscribe = (): Promise<boolean> => {
			asked.resolve();
			return decision.promise;
		};
		const app = new Application().websocket({ authorize: { subscribe } });
		const client = await connectSpeaker((await serve(app)).ws);
		sendTyped(client, '@subscribe', { topic: 'news' }, 'a');
		await asked.promise;

		const stopped = app.stop();
		await allReceived(client);
		decision.resolve(true);
		expect(await client.closed).toMatchObject({ code: 1012 });
		expect(answersOf(client)).toEqual([['a', ACCEPTED]]);
		await stopped;
	});

	it('has its queued raw messages handled as well', async () => {
		const started: string[] = [];
		const gate = Promise.withResolvers<void>();
		const app = new Application()
			.websocket()
			.socketRouter(new SocketRouter())
			.onWebSocket({
				async message(ws, message) {
					started.push(String(message));
					await gate.promise;
					ws.send(`received ${String(message)}`);
				},
			});
		const client = await connectSpeaker((await serve(app)).ws);
		client.send('one');
		client.send('two');
		await allReceived(client);
		expect(started).toEqual(['one']);

		const stopped = app.stop();
		client.send('too late');
		await allReceived(client);
		gate.resolve();
		expect(await client.closed).toMatchObject({ code: 1012 });
		expect(client.texts.filter((text) => text.startsWith('received'))).toEqual(['received one', 'received two']);
		await stopped;
	});
});
