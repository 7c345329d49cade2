import { connectSpeaker, RecordingLogger, type TestClient } from '@orijs/testkit';
import { SocketMessage, WsProvider } from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type MessageContext, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { parse, sendTyped } from '../test-support/typed-client.ts';

const Do = SocketMessage.define({ name: 'do', data: z.unknown(), reply: z.unknown() });
const News = SocketMessage.define({ name: 'news', data: z.string().transform((text) => text.toUpperCase()) });

describe('ctx, with two applications on one backend', () => {
	it('subscribe: messages from every node arrive once it resolves', async () => {
		const [here, there] = await twoNodes((ctx) => ctx.subscribe(String(ctx.data)));

		for (let i = 0; i < 20; i++) {
			sendTyped(here.client, 'do', `topic:${i}`, 'a');
			await here.client.next();
			await there.app.socket.publish(`topic:${i}`, `"from ${i}"`);
			expect(await here.client.next()).toBe(`"from ${i}"`);
		}
	});

	it('unsubscribe: no messages arrive once it resolves', async () => {
		const [here, there] = await twoNodes(async (ctx) => {
			await Promise.all([ctx.subscribe('kept'), ctx.subscribe('left')]);
			await ctx.unsubscribe('left');
			return [...ctx.ws.data.topics];
		});

		sendTyped(here.client, 'do', null, 'a');
		expect(parse(await here.client.next())['data']).toEqual(['kept']);
		for (const { app } of [here, there]) await app.socket.publish('left', 'not for me');
		for (const { app } of [here, there]) await app.socket.publish('kept', 'marker');
		expect((await here.client.received(3)).slice(1)).toEqual(['marker', 'marker']);
	});

	it('publish and emit: reach all subscribers including the socket itself, which ws.publish skips', async () => {
		const nodes = await twoNodes(async (ctx) => {
			await ctx.subscribe('room');
			if (ctx.data !== 'speak') return;
			await ctx.publish('room', 'text');
			await ctx.publish('room', Uint8Array.of(1, 2));
			await ctx.emit(News, 'room', 'news');
			await ctx.ws.publish('room', 'for others');
		});
		const [{ client: speaker }, { client: listener }] = nodes;

		sendTyped(listener, 'do', 'listen', 'a');
		await listener.next();
		sendTyped(speaker, 'do', 'speak', 'a');
		const isAnswer = (message: unknown): boolean => String(message).includes('correlationId');
		await speaker.next(isAnswer);
		await listener.received(5);
		const received = ({ messages }: TestClient) => messages.filter((message) => !isAnswer(message));
		const news = expect.stringMatching(/^\{"name":"news","data":"NEWS","timestamp":\d+,"topic":"room"\}$/) as string;
		expect(received(speaker)).toEqual(['text', Uint8Array.of(1, 2), news]);
		expect(received(listener)).toEqual(['text', Uint8Array.of(1, 2), news, 'for others']);
	});
});

type Handler = (ctx: MessageContext<typeof Do>) => unknown;

async function twoNodes(handler: Handler) {
	const backend = new MemoryBackend();
	return [await startNode(backend, handler), await startNode(backend, handler)] as const;
}

async function startNode(backend: MemoryBackend, handler: Handler) {
	const logger = new RecordingLogger();
	const provider = new WsProvider({ bus: backend.createBus(), logger, graceMs: 0 });
	const app = new Application({ logger }).websocket(provider).socketRouter(new SocketRouter().on(Do, handler));
	const { ws } = await serve(app);
	return { app, client: await connectSpeaker(ws, { withoutNotices: true }) };
}
