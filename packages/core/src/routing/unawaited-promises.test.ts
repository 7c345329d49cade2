import { connectSpeaker, RecordingLogger, until } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { peek } from 'bun';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { Application, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { parse, sendTyped } from '../test-support/typed-client.ts';

const Do = SocketMessage.define({ name: 'do', data: z.null(), reply: z.null() });
const News = SocketMessage.define({ name: 'news', data: z.string() });
const Late = SocketMessage.define({ name: 'late', data: z.string().refine(async (text) => text !== 'bad', 'is bad') });
const Question = SocketMessage.define({ name: 'question', data: z.string(), reply: z.string() });

it('a rejected promise of ctx or app.socket that is not awaited is not an unhandled rejection', async () => {
	const unhandled: unknown[] = [];
	const others = process.listeners('unhandledRejection');
	// Vitest's own listener would fail the run without naming this test.
	process.removeAllListeners('unhandledRejection');
	process.on('unhandledRejection', (reason) => unhandled.push(reason));
	onTestFinished(() => {
		process.removeAllListeners('unhandledRejection');
		for (const other of others) process.on('unhandledRejection', other);
	});
	const refused: Promise<unknown>[] = [];
	const router = new SocketRouter().on(Do, (ctx) => {
		refused.push(
			ctx.subscribe('no spaces'),
			ctx.subscribe('over-the-bound'),
			ctx.unsubscribe('no spaces'),
			ctx.publish('no spaces', 'x'),
			ctx.publish('t', {} as never),
			ctx.emit(News, 'no spaces', 'x'),
			ctx.emit(News, 't', 7 as never),
			ctx.emit(Late, 't', 'bad'),
			ctx.send(News, 7 as never),
			ctx.send(Late, 'bad'),
			ctx.request(Question, 7 as never),
			ctx.request(News as never, 'x' as never),
			ctx.request(Question, 'x', { timeoutMs: -1 }),
			ctx.request(Question, 'too slow', { timeoutMs: 1 }),
			ctx.request(Question, 'refused'),
			ctx.request(Question, 'wrong'),
			ctx.request(Question, 'left alone'),
			ctx.request(Question, 'one too many'),
			app.socket.request(crypto.randomUUID(), Question, 'x'),
			app.socket.emit(News, 't', 7 as never),
		);
		return null;
	});
	const log = new RecordingLogger();
	const app = new Application({ logger: log }).websocket({ limits: { topicsPerSocket: 0, pendingRequests: 4 } });
	app.socketRouter(router);
	const client = await connectSpeaker((await serve(app)).ws);

	sendTyped(client, 'do', null, 'a');
	const asked = async (data: string): Promise<unknown> =>
		parse(await client.next((message) => parse(message)['data'] === data))['correlationId'];
	client.send(
		JSON.stringify({ type: '@reply', correlationId: await asked('refused'), error: { code: 'no', message: '' } }),
	);
	sendTyped(client, '@reply', 7, String(await asked('wrong')));
	await asked('left alone');
	await client.close();
	// Unlike `await`, `peek` does not mark the rejections as handled.
	await until(() => refused.every((promise) => peek.status(promise) === 'rejected'), {
		what: () => `all have rejected: ${refused.map((promise) => peek.status(promise)).join()}`,
	});
	await new Promise((resolve) => setImmediate(resolve));
	expect(unhandled).toEqual([]);
	expect(refused).toHaveLength(20);
	expect(log.errors).toEqual([]);
});
