import { connectSpeaker, frame, HANDSHAKE, Opcode, type RawWebSocket, until } from '@orijs/testkit';
import { connect } from 'node:net';
import { afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { AttackTarget } from '../test-support/attack-target.ts';
import { connectRawWebSocket } from '../test-support/raw-web-socket.ts';

const server = new AttackTarget();
beforeAll(() => server.start());
afterEach(() => server.idle());

const many = (count: number, connectOne: () => Promise<RawWebSocket>): Promise<RawWebSocket[]> =>
	Promise.all(Array.from({ length: count }, connectOne));

describe('a server survives', () => {
	it('a flood of tiny messages', async () => {
		await server.survives(async () => {
			const flood = Buffer.concat(Array.from({ length: 20_000 }, () => frame('1')));
			const clients = await many(10, () => connectRawWebSocket(server.port));
			for (const client of clients) client.write(flood);
			for (const client of clients) await client.closed();
			expect((await server.health()).refusals.flood).toBeGreaterThanOrEqual(10);
		});
	});

	it('a flood of pings from clients that read no pongs', async () => {
		await server.survives(async () => {
			const before = (await server.health()).refusals.flood;
			const ping = frame('x'.repeat(125), { opcode: Opcode.ping });
			const flood = Buffer.concat(Array.from({ length: 10_000 }, () => ping));
			const clients = await many(5, () => connectRawWebSocket(server.port));
			for (const client of clients) {
				client.pause();
				for (let i = 0; i < 10; i++) client.write(flood);
			}
			const areClosed = async (): Promise<boolean> => (await server.health()).refusals.flood === before + 5;
			await until(areClosed, { what: 'all connections are closed' });
			for (const client of clients) client.end();
		});
	});

	it('endlessly fragmented messages', async () => {
		await server.survives(async () => {
			const pieces = Buffer.concat(
				Array.from({ length: 50_000 }, (_, i) =>
					frame(i % 2 === 0 ? '' : 'x', { opcode: Opcode.continuation, fin: false }),
				),
			);
			const clients = await many(5, () => connectRawWebSocket(server.port));
			for (const client of clients) {
				client.write(frame('x', { fin: false }));
				for (let i = 0; i < 4; i++) client.write(pieces);
			}
			for (const client of clients) {
				await client.closed();
				expect(client.close?.code ?? 1009).toBe(1009);
			}
		});
	});

	it('a thousand handshakes that never end', async () => {
		await server.survives(() => leaveOpen(1_000, HANDSHAKE.slice(0, -40)));
	});

	it('a thousand clients pending in upgrade()', async () => {
		await server.survives(async () => {
			await leaveOpen(1_000, `${HANDSHAKE.replace('/ws', '/ws?hang')}\r\n`);
			const areRejected = async (): Promise<boolean> => (await server.health()).refusals.upgradeTimeout === 1_000;
			await until(areRejected, { what: 'all are rejected' });
		});
	});

	it('a hundred clients that subscribe and never read', async () => {
		await server.survives(async () => {
			const clients = await many(100, () => connectRawWebSocket(server.port));
			for (const client of clients) client.send('{"type":"@subscribe","correlationId":"s","data":{"topic":"flood"}}');
			for (const { texts } of clients) await until(() => texts.length > 0, { what: 'they are subscribed' });
			for (const client of clients) client.pause();
			const reader = await connectSpeaker(server.url);
			reader.send('{"type":"@subscribe","correlationId":"s","data":{"topic":"flood"}}');
			await reader.next();
			await server.process.request({ topic: 'flood', count: 3_000, bytes: 4_096 }, 9_000);

			const published = (await reader.received(3_001)).slice(1).map((text) => Number.parseInt(String(text), 10));
			expect(published).toEqual(Array.from({ length: 3_000 }, (_, i) => i));
			expect((await server.health()).refusals.slowReader).toBe(100);
			for (const client of clients) client.end();
			await reader.terminate();
		});
	});
});

/**
 * Opens `count` connections that send one text and nothing more, then checks that a well-behaved client can connect.
 */
async function leaveOpen(count: number, text: string): Promise<void> {
	let connected = 0;
	const sockets = Array.from({ length: count }, () => {
		const socket = connect({ host: 'localhost', port: server.port }, () => {
			connected++;
			socket.write(text);
		});
		socket.on('error', () => {});
		return socket;
	});
	onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
	await until(() => connected === count, { what: `${count} are connected` });
	const late = await connectSpeaker(server.url);
	late.send('{"type":"@ping","correlationId":"after"}');
	await late.next();
	await late.terminate();
	for (const socket of sockets) socket.destroy();
}
