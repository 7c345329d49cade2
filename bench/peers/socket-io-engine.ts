import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Server as SocketIo } from 'socket.io';
import { portOf } from '../src/subjects/raw-server.ts';

export const PATH = '/socket.io/';
/** The heartbeat interval: a day, so that no heartbeat occurs during a measurement. */
export const PING_INTERVAL_MS: number = 24 * 60 * 60 * 1_000;

/** Listens on a free port: on Bun with Socket.IO's engine for Bun, on Node with its default engine, `ws`. */
export function listen(io: SocketIo): Promise<number> {
	return 'Bun' in globalThis ? listenOnBun(io) : listenOnNode(io);
}

async function listenOnBun(io: SocketIo): Promise<number> {
	const { Server: Engine } = await import('@socket.io/bun-engine');
	const engine = new Engine({ path: PATH, pingInterval: PING_INTERVAL_MS });
	io.bind(engine);
	const { websocket, ...handler } = engine.handler();
	const server = Bun.serve({
		...handler,
		port: 0,
		hostname: '127.0.0.1',
		// The default is derived from the ping interval, and would be too long for Bun.
		idleTimeout: 0,
		// Disables Bun's heartbeat, which the clients would have to answer.
		websocket: { ...websocket, idleTimeout: 0 },
	});
	return portOf(server);
}

async function listenOnNode(io: SocketIo): Promise<number> {
	const server = createServer();
	io.attach(server);
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	return (server.address() as AddressInfo).port;
}
