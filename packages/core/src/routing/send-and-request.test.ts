import { connectClient, connectSpeaker } from '@orijs/testkit';
import { SocketMessage, UnknownSocketError, UnsupportedValueError } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type AppSocket, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { answersOf, parse, sendTyped } from '../test-support/typed-client.ts';

const Ask = SocketMessage.define({ name: 'ask', data: z.any(), reply: z.any() });

describe('app.socket.request', () => {
	it('rejects if the client is a plain WebSocket', async () => {
		const sockets: AppSocket[] = [];
		const app = new Application().websocket().onWebSocket({ open: (ws) => void sockets.push(ws) });
		const client = await connectClient((await serve(app)).ws);

		const request = app.socket.request(String(sockets[0]?.data.socketId), Ask, 1);
		await expect(request).rejects.toMatchObject({ name: 'SocketRequestError', code: 'unsupported' });
		expect(client.messages).toEqual([]);
	});

	it('is sent before what is sent after it', async () => {
		const router = new SocketRouter().on(Ask, (ctx) => {
			void ctx.request(Ask, 'first');
			void ctx.send(Ask, 'second');
		});
		const client = await connectSpeaker((await serve(new Application().websocket().socketRouter(router))).ws);

		sendTyped(client, 'ask', 0);
		await client.received(2);
		expect(client.texts.map((text) => parse(text)['data'])).toEqual(['first', 'second']);
	});
});

describe('a value that cannot be sent', () => {
	it.each(['send', 'request'] as const)('makes ctx.%s reject, and nothing is sent', async (call) => {
		const refused = Promise.withResolvers<unknown>();
		const router = new SocketRouter().on(Ask, (ctx) => {
			const called: Promise<unknown> = call === 'send' ? ctx.send(Ask, 10n) : ctx.request(Ask, 10n);
			called.then(() => refused.resolve('sent'), refused.resolve);
			return 'over';
		});
		const client = await connectSpeaker((await serve(new Application().websocket().socketRouter(router))).ws);

		sendTyped(client, 'ask', 0, 'a');
		expect(await refused.promise).toBeInstanceOf(UnsupportedValueError);
		await client.received(1);
		expect(answersOf(client)).toEqual([['a', 'over']]);
	});
});

it('ctx.send to a closed socket rejects', async () => {
	const outcome = Promise.withResolvers<unknown>();
	const router = new SocketRouter().on(Ask, (ctx) => {
		ctx.signal.addEventListener('abort', () => {
			ctx.send(Ask, 'too late').then(() => outcome.resolve('sent'), outcome.resolve);
		});
	});
	const client = await connectSpeaker((await serve(new Application().websocket().socketRouter(router))).ws);

	sendTyped(client, 'ask', 0, 'a');
	await client.received(1);
	await client.close();
	expect(await outcome.promise).toBeInstanceOf(UnknownSocketError);
});
