import { connectClient, frame, Opcode, RecordingLogger, until } from '@orijs/testkit';
import { CloseCode, readRetryHint } from '@orijs/websocket/protocol';
import { describe, expect, it } from 'vitest';
import { Application, type AppSocket, type Limits } from '../index.ts';
import { connectRawWebSocket } from '../test-support/raw-web-socket.ts';
import { serve } from '../test-support/serve.ts';

async function serving(limits: Limits) {
	const sockets: AppSocket[] = [];
	const heard = { pings: 0, pongs: 0 };
	const app = new Application({ logger: new RecordingLogger() }).websocket({ limits }).onWebSocket({
		open: (ws) => void sockets.push(ws),
		message: (ws, text) => void ws.send(text),
		ping: () => void heard.pings++,
		pong: () => void heard.pongs++,
	});
	return { app, sockets, heard, ...(await serve(app)) };
}

describe.each([
	['pings', Opcode.ping],
	['unsolicited pongs', Opcode.pong],
] as const)('a client that sends %s too fast', (_, opcode) => {
	it('is closed with 4429 and a retry hint, and counted', async () => {
		const { app, heard, port } = await serving({ messagesPerSecond: 10 });
		const client = await connectRawWebSocket(port);
		client.write(Buffer.concat(Array.from({ length: 1_000 }, () => frame('', { opcode }))));
		await client.closed();

		expect(client.close?.code).toBe(CloseCode.tooManyMessages);
		expect(readRetryHint(client.close?.reason ?? '')).toBeGreaterThanOrEqual(500);
		expect(app.refusals).toMatchObject({ flood: 1, rate: 0 });
		expect(heard.pings + heard.pongs).toBe(20);
	});

	it('has their bytes counted as well', async () => {
		const { app, heard, port } = await serving({ messageBytes: 100, bytesPerSecond: 1_000 });
		const client = await connectRawWebSocket(port);
		client.write(Buffer.concat(Array.from({ length: 30 }, () => frame('x'.repeat(100), { opcode }))));
		await client.closed();

		expect([client.close?.code, app.refusals.flood]).toEqual([CloseCode.tooManyMessages, 1]);
		expect(heard.pings + heard.pongs).toBe(20);
	});

	it('has fewer messages left', async () => {
		const { app, port } = await serving({ messagesPerSecond: 10 });
		const client = await connectRawWebSocket(port);
		const controls = Array.from({ length: 15 }, () => frame('', { opcode }));
		client.write(Buffer.concat([...controls, ...Array.from({ length: 15 }, () => frame('text'))]));
		await client.closed();

		expect([client.texts.length, app.refusals.flood]).toEqual([5, 1]);
	});
});

describe('answers to pings', () => {
	it('do not count towards the rate, however many pings the application has sent', async () => {
		const { app, sockets, heard, ws } = await serving({ messagesPerSecond: 5 });
		const client = await connectClient(ws);
		for (let i = 0; i < 100; i++) sockets[0]?.ping(String(i));
		await until(() => heard.pongs === 100, { what: 'all are answered' });
		for (let i = 0; i < 5; i++) client.send('text');
		await client.received(5);

		expect(app.refusals.flood).toBe(0);
	});

	it('count from the first unsolicited one', async () => {
		const { app, sockets, heard, port } = await serving({ messagesPerSecond: 5 });
		const client = await connectRawWebSocket(port);
		for (let i = 0; i < 3; i++) sockets[0]?.ping();
		client.write(Buffer.concat(Array.from({ length: 100 }, () => frame('', { opcode: Opcode.pong }))));
		await client.closed();

		expect([heard.pongs, app.refusals.flood]).toEqual([3 + 10, 1]);
	});
});
