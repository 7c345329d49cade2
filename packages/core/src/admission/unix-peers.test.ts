import { HANDSHAKE, RecordingLogger, scratchDir, until } from '@orijs/testkit';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Application, SocketRouter, type WebSocketOptions } from '../index.ts';
import { connectRaw } from '../test-support/raw-connection.ts';
import { connectRawWebSocket } from '../test-support/raw-web-socket.ts';

const ANN = '203.0.113.7';
const BOB = '203.0.113.8';

describe('a peer on a Unix socket', () => {
	it('that is a trusted proxy gives the addresses of its clients, for limits and guards', async () => {
		const { app, unix, addresses } = await listening({
			trustedProxies: ['unix'],
			limits: { connectionsPerAddress: 1 },
		});

		for (const forwarded of [ANN, `198.51.100.1, ${BOB}`]) await connect(unix, forwarded);
		await until(() => addresses.length === 2, { what: 'two guards have run' });
		expect(addresses).toEqual([ANN, BOB]);
		expect(await answer(unix, `X-Forwarded-For: ${ANN}`)).toContain('429');
		expect(app.refusals.connectionsPerAddress).toBe(1);
	});

	it('is not trusted by default: it counts as one private address, `unix`, without a limit unless one is set', async () => {
		const free = await listening({});
		for (let i = 0; i < 3; i++) await connect(free.unix, ANN);
		await until(() => free.addresses.length === 3, { what: 'three guards have run' });
		expect(free.addresses).toEqual(['unix', 'unix', 'unix']);

		const limited = await listening({ limits: { connectionsPerAddress: 1 }, trustedProxies: ['127.0.0.1', '::1'] });
		await connect(limited.unix, ANN);
		expect(await answer(limited.unix, `X-Forwarded-For: ${BOB}`)).toContain('429');
		expect(limited.logger.problems.map(({ details }) => details)).toEqual([{ count: 1, address: 'unix' }]);
	});

	it('that is trusted has the address `unix` itself, as do clients for whom it passes on no address', async () => {
		const { unix, addresses } = await listening({ trustedProxies: ['unix'] });
		for (const forwarded of [undefined, 'unix:', 'unix', '']) await connect(unix, forwarded);
		await until(() => addresses.length === 4, { what: 'four guards have run' });
		expect(addresses).toEqual(Array(4).fill('unix'));
	});

	it('may set X-Forwarded-Host only if it is trusted', async () => {
		const forwarded = 'Origin: https://app.example.com\r\nX-Forwarded-Host: app.example.com';
		const trusting = await listening({ trustedProxies: ['unix'] });
		expect(await answer(trusting.unix, forwarded)).toContain('101');
		const { unix } = await listening({});
		expect(await answer(unix, forwarded)).toContain('403');
	});
});

describe('a server on a port', () => {
	it('is not affected by `unix` in trustedProxies', async () => {
		const logger = new RecordingLogger();
		const app = new Application({ logger }).websocket({
			trustedProxies: ['unix'],
			limits: { connectionsPerAddress: 1 },
		});
		onTestFinished(() => app.stop());
		const { port } = await app.listen({ port: 0, hostname: '127.0.0.1' });

		await connectRawWebSocket(port as number, { headers: { 'X-Forwarded-For': ANN } });
		const second = await connectRaw(port as number);
		second.write(`${HANDSHAKE}X-Forwarded-For: ${BOB}\r\n\r\n`);
		await second.seen('HTTP/1.1 429');
	});
});

/** Listens on a Unix socket. `addresses` are those that guards have seen. */
async function listening(options: WebSocketOptions) {
	const dir = scratchDir('orijs-unix-');
	const unix = join(dir.path, 'app.sock');
	const addresses: string[] = [];
	const logger = new RecordingLogger();
	const app = new Application({ logger }).websocket(options).socketRouter(
		new SocketRouter().guard((ctx) => {
			addresses.push(ctx.remoteAddress);
			return true;
		}),
	);
	onTestFinished(async () => {
		await app.stop();
		dir.remove();
	});
	await app.listen({ unix });
	return { app, unix, addresses, logger };
}

/** Connects a client that starts its guards. */
async function connect(unix: string, forwarded: string | undefined): Promise<void> {
	const client = await connectRawWebSocket(unix, {
		headers: forwarded === undefined ? {} : { 'X-Forwarded-For': forwarded },
	});
	client.send('{"type":"@auth"}');
}

/** Sends a handshake with further header lines, and returns the status line of the answer. */
async function answer(unix: string, headers: string): Promise<string> {
	const connection = await connectRaw(unix);
	connection.write(`${HANDSHAKE}${headers}\r\n\r\n`);
	await connection.seen('\r\n\r\n');
	return connection.received.slice(0, connection.received.indexOf('\r\n'));
}
