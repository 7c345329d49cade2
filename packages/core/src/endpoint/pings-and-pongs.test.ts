// An unhandled rejection in any of these tests makes Vitest fail the run.

import { connectSpeaker, frame, Opcode, RecordingLogger, until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { Application, type AppSocket, SocketRouter, type WebSocketHandlers } from '../index.ts';
import { connectRawWebSocket } from '../test-support/raw-web-socket.ts';
import { serve } from '../test-support/serve.ts';

async function listening(handlers: WebSocketHandlers) {
	const logger = new RecordingLogger();
	const app = new Application({ logger }).websocket({}).onWebSocket(handlers);
	return { app, logger, ...(await serve(app)) };
}

describe('onWebSocket', () => {
	it('calls ping for each ping of a client, with its data', async () => {
		const received: [string, string, boolean][] = [];
		const sockets: AppSocket[] = [];
		const { port } = await listening({
			open: (ws) => void sockets.push(ws),
			ping: (ws, data) => void received.push(['ping', data.toString(), ws === sockets[0]]),
			pong: () => void received.push(['pong', '', false]),
		});
		const client = await connectRawWebSocket(port);
		client.write(frame('one', { opcode: Opcode.ping }));
		client.write(frame('', { opcode: Opcode.ping }));
		await until(() => received.length === 2, { what: 'both are received' });

		expect(received).toEqual([
			['ping', 'one', true],
			['ping', '', true],
		]);
	});

	it('calls pong when a client answers ws.ping, with the data sent', async () => {
		const received: string[] = [];
		const { ws } = await listening({
			open: (socket) => void [socket.ping('a'), socket.ping(), socket.ping(new Uint8Array([98]))],
			pong: (_, data) => void received.push(data.toString()),
		});
		await connectSpeaker(ws);
		await until(() => received.length === 3, { what: 'all are answered' });

		expect(received).toEqual(['a', '', 'b']);
	});

	it('calls neither handler before the guards have passed', async () => {
		const received: string[] = [];
		const app = new Application({ logger: new RecordingLogger() })
			.websocket({})
			.socketRouter(new SocketRouter().authenticate(() => true))
			.onWebSocket({
				ping: (_, data) => void received.push(`ping ${data.toString()}`),
				pong: (_, data) => void received.push(`pong ${data.toString()}`),
			});
		const client = await connectRawWebSocket((await serve(app)).port);
		for (const opcode of [Opcode.ping, Opcode.pong]) client.write(frame('early', { opcode }));
		client.send('{"type":"@auth","correlationId":"a"}');
		await until(() => client.texts.length === 1, { what: 'the guards have passed' });
		for (const opcode of [Opcode.ping, Opcode.pong]) client.write(frame('late', { opcode }));
		await until(() => received.length >= 2, { what: 'both are received' });

		expect(received).toEqual(['ping late', 'pong late']);
	});
});

describe.each(['ping', 'pong'] as const)('a %s handler', (name) => {
	it.each<[string, () => void | Promise<void>]>([
		[
			'throws',
			() => {
				throw new Error('broken');
			},
		],
		['rejects', () => Promise.reject(new Error('broken'))],
	])('that %s is logged, and its connection stays usable', async (_, fail) => {
		const { logger, port } = await listening({ [name]: fail, message: (ws, text) => void ws.send(text) });
		const client = await connectRawWebSocket(port);
		client.write(frame('x', { opcode: Opcode[name] }));
		client.send('still here');
		await until(() => client.texts.length > 0 && logger.errors.length > 0, { what: 'it is logged' });

		expect(client.texts).toEqual(['still here']);
		expect(logger.errors).toEqual([
			{
				level: 'error',
				message: `The ${name} handler failed`,
				details: { socketId: expect.any(String) as string, err: new Error('broken') },
			},
		]);
	});

	it('must be a function', () => {
		const call = () => new Application().websocket({}).onWebSocket({ [name]: 7 as never });
		expect(call).toThrow(`onWebSocket(): ${name} must be a function, not 7`);
	});
});
