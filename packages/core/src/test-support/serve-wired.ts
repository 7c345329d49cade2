import { connectClient, connectSpeaker, RecordingLogger, type TestClient } from '@orijs/testkit';
import { InProcWsProvider, type SocketData, type WebSocketProvider } from '@orijs/websocket';
import type { Server, ServerWebSocket } from 'bun';
import { onTestFinished } from 'vitest';
import { SocketProtocol, type SocketProtocolOptions } from '../index.ts';

/** The data of the test's connections, which handlers find in `ctx.state`. */
export interface User {
	readonly user: string;
}

/** A server with handlers of its own, as in the quick start of `@orijs/websocket`, and a {@link SocketProtocol}. */
export interface WiredServer {
	readonly provider: WebSocketProvider;
	readonly protocol: SocketProtocol<User>;
	readonly server: Server<SocketData<User>>;
	readonly log: RecordingLogger;
	readonly url: string;
	/** What `handle` has left to the application. */
	readonly raw: readonly (string | Buffer)[];
	/** Connects a client that speaks the protocol. */
	speaker(user?: string): Promise<TestClient>;
	plain(): Promise<TestClient>;
}

export interface WiredOptions extends SocketProtocolOptions<User> {
	readonly provider?: WebSocketProvider;
	/** Bun's limit of the bytes that wait for one socket. Default: Bun's own. */
	readonly backpressureLimit?: number;
	readonly onOpen?: (ws: ServerWebSocket<SocketData<User>>) => void;
	/** Leaves out a part of the wiring. */
	readonly without?: 'addConnection' | 'close';
}

/** Serves until the test ends. */
export async function serveWired({
	provider: given,
	backpressureLimit,
	onOpen,
	without,
	...options
}: WiredOptions = {}): Promise<WiredServer> {
	const log = new RecordingLogger();
	const provider = given ?? new InProcWsProvider({ logger: log });
	const protocol = new SocketProtocol<User>(provider, { logger: log, ...options });
	const raw: (string | Buffer)[] = [];
	const server = Bun.serve<SocketData<User>>({
		port: 0,
		fetch(req, server) {
			const user = new URL(req.url).searchParams.get('user') ?? 'ann';
			const data = { socketId: crypto.randomUUID(), data: { user }, topics: new Set<string>() };
			return server.upgrade(req, protocol.accept(req, data))
				? undefined
				: new Response('WebSocket only', { status: 426 });
		},
		websocket: {
			...(backpressureLimit !== undefined && { backpressureLimit }),
			open(ws) {
				onOpen?.(ws);
				if (without !== 'addConnection') void protocol.open(ws);
			},
			message(ws, message) {
				if (!protocol.handle(ws, message)) raw.push(message);
			},
			close(ws) {
				provider.removeConnection(ws.data.socketId);
				if (without !== 'close') protocol.close(ws);
			},
		},
	});
	provider.setServer(server);
	onTestFinished(async () => {
		protocol.stop();
		await provider.stop();
		await server.stop(true);
	});
	await provider.start();
	const url = `ws://localhost:${server.port}/ws`;
	return {
		provider,
		protocol,
		server,
		log,
		url,
		raw,
		speaker: (user = 'ann') => connectSpeaker(`${url}?user=${user}`),
		plain: () => connectClient(url),
	};
}
