import { connectClient, frame, type FrameOptions, Opcode, RecordingLogger, until } from '@orijs/testkit';
import { CloseCode } from '@orijs/websocket/protocol';
import { describe, expect, it } from 'vitest';
import { Application, type Limits } from '../index.ts';
import { connectRawWebSocket } from '../test-support/raw-web-socket.ts';
import { serve } from '../test-support/serve.ts';

async function echoing(limits: Limits = {}) {
	const logger = new RecordingLogger();
	const received: (string | Buffer)[] = [];
	const app = new Application({ logger }).websocket({ limits }).onWebSocket({
		message(ws, message) {
			received.push(message);
			ws.send(message);
		},
	});
	return { app, logger, received, ...(await serve(app)) };
}

describe('a message larger than limits.messageBytes', () => {
	it('closes its connection with 1009, is counted and logged, and reaches no handler', async () => {
		const { app, logger, received, ws } = await echoing({ messageBytes: 100 });
		const client = await connectClient(ws);
		client.send('x'.repeat(100));
		expect(await client.next()).toBe('x'.repeat(100));
		client.send('x'.repeat(101));

		expect((await client.closed).code).toBe(CloseCode.messageTooBig);
		await until(() => app.refusals.messageSize === 1, { what: 'it is counted' });
		expect(received).toHaveLength(1);
		expect(logger.lines).toEqual([
			{
				level: 'warn',
				message: 'Connections closed: a message exceeded limits.messageBytes (1009)',
				details: expect.objectContaining({ count: 1, socketId: expect.any(String) as string }) as object,
			},
		]);
	});

	it('is measured in bytes, not in characters', async () => {
		const { ws } = await echoing({ messageBytes: 99 });
		const client = await connectClient(ws);
		client.send('€'.repeat(33));
		expect(await client.next()).toBe('€'.repeat(33));
		client.send('€'.repeat(34));

		expect((await client.closed).code).toBe(CloseCode.messageTooBig);
	});

	it('is measured as a whole when fragmented', async () => {
		const { app, received, port } = await echoing({ messageBytes: 100 });
		const client = await connectRawWebSocket(port);
		client.write(frame('x'.repeat(60), { fin: false }));
		client.write(frame('x'.repeat(60), { opcode: Opcode.continuation }));
		await client.closed();

		expect(client.close?.code).toBe(CloseCode.messageTooBig);
		expect([received.length, app.refusals.messageSize]).toEqual([0, 1]);
	});

	it('is refused as soon as its length is announced', async () => {
		const { app, port } = await echoing();
		const client = await connectRawWebSocket(port);
		client.write(frame('x', { length: 2n ** 63n - 1n }));
		await client.closed();

		expect([client.close?.code, app.refusals.messageSize]).toEqual([CloseCode.messageTooBig, 1]);
	});
});

describe('a client that violates the WebSocket protocol', () => {
	it.each<[string, number, readonly (readonly [string | Uint8Array, FrameOptions])[]]>([
		['text that is not UTF-8', 1007, [[new Uint8Array([0xff, 0xfe]), {}]]],
		['a frame that is not masked', 1002, [['x', { masked: false }]]],
		['an unknown opcode', 1002, [['x', { opcode: 3 }]]],
		['an unknown control opcode', 1002, [['x', { opcode: 11 }]]],
		['a reserved bit', 1002, [['x', { reservedBits: 4 }]]],
		['another reserved bit', 1002, [['x', { reservedBits: 1 }]]],
		['a continuation without a message', 1002, [['x', { opcode: Opcode.continuation }]]],
		[
			'a message inside another',
			1002,
			[
				['x', { fin: false }],
				['y', {}],
			],
		],
		['a fragmented ping', 1002, [['x', { opcode: Opcode.ping, fin: false }]]],
		['a ping that is too long', 1002, [['x'.repeat(126), { opcode: Opcode.ping }]]],
		['a close reason that is too long', 1002, [['xx'.repeat(63), { opcode: Opcode.close }]]],
		['an invalid close code', 1002, [[new Uint8Array([0, 1]), { opcode: Opcode.close }]]],
	])('by %s is disconnected with %d, counted and logged', async (_, code, frames) => {
		const { app, logger, received, port, ws } = await echoing();
		const bad = await connectRawWebSocket(port);
		for (const [payload, options] of frames) bad.write(frame(payload, options));
		await bad.closed();
		const good = await connectClient(ws);
		good.send('still here');

		expect(await good.next()).toBe('still here');
		expect([bad.close?.code, received]).toEqual([code, ['still here']]);
		expect(app.refusals.frame).toBe(1);
		expect(logger.lines).toEqual([
			{
				level: 'warn',
				message: 'Connections closed: WebSocket protocol violated (1002, 1007)',
				details: expect.objectContaining({ count: 1, reason: expect.any(String) as string }) as object,
			},
		]);
	});

	it('is not one that sends a fragmented message with a ping in between', async () => {
		const { app, received, port } = await echoing();
		const client = await connectRawWebSocket(port);
		client.write(frame('in ', { fin: false }));
		client.write(frame('', { opcode: Opcode.ping }));
		client.write(frame('pieces', { opcode: Opcode.continuation }));
		await until(() => received.length > 0, { what: 'the message has been received' });

		expect([received, app.refusals.frame]).toEqual([['in pieces'], 0]);
	});
});

describe('limits.idleTimeoutMs', () => {
	it('closes connections whose clients answer no pings, counts and logs them, and keeps the others', async () => {
		const { app, logger, port, ws } = await echoing({ idleTimeoutMs: 8_000 });
		const live = await connectClient(ws);
		const dead = [await connectRawWebSocket(port), await connectRawWebSocket(port)];
		for (const client of dead) await client.closed();
		live.send('still here');

		expect(await live.next()).toBe('still here');
		expect(dead.every(({ pings }) => pings > 0)).toBe(true);
		expect(app.refusals.idle).toBe(2);
		expect(logger.lines[0]).toMatchObject({ message: expect.stringContaining('limits.idleTimeoutMs') as string });
	});
});
