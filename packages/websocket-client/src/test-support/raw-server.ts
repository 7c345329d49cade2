import type { RawServerOptions, ReceivedFrame } from './test-server.ts';

export interface RawServer {
	readonly port: number;
	readonly received: readonly ReceivedFrame[];
	send(message: string | Uint8Array): void;
	closeConnections(code: number, reason?: string): void;
	stop(): Promise<void>;
}

/** Starts a WebSocket server that confirms `orijs.1`, and sends whatever the test passes to it. */
export function startRawServer(options: RawServerOptions): RawServer {
	const { answers = true, status } = options;
	const received: ReceivedFrame[] = [];
	const sockets = new Set<Bun.ServerWebSocket>();
	const server = Bun.serve({
		hostname: '127.0.0.1',
		port: 0,
		fetch(request, self) {
			if (status !== undefined) return new Response('unavailable', { status });
			return self.upgrade(request, { headers: { 'Sec-WebSocket-Protocol': 'orijs.1' } })
				? undefined
				: new Response('WebSocket only', { status: 426 });
		},
		websocket: {
			maxPayloadLength: 64 * 1024 * 1024,
			open: (socket) => void sockets.add(socket),
			close: (socket) => void sockets.delete(socket),
			message(socket, message) {
				const text = String(message);
				received.push({ text, at: Date.now() });
				const data = answers ? answerTo(text, options) : undefined;
				if (data !== undefined) socket.send(data);
			},
		},
	});
	if (server.port === undefined) throw new Error('the raw server is not listening on a port');
	return {
		port: server.port,
		received,
		send: (message) => sockets.forEach((socket) => socket.send(message)),
		closeConnections: (code, reason) => sockets.forEach((socket) => socket.close(code, reason)),
		stop: () => server.stop(true),
	};
}

function answerTo(text: string, { answersPings = true, limits, clocks }: RawServerOptions): string | undefined {
	const { type, correlationId } = JSON.parse(text) as { type: string; correlationId?: string };
	const timestamp = Date.now();
	const answers: Record<string, object> = {
		'@auth': { socketId: crypto.randomUUID(), timestamp, ...limits },
		'@ping': { timestamp, ...clocks },
		'@subscribe': { timestamp, refused: [] },
		'@unsubscribe': { timestamp, refused: [] },
	};
	const data = type === '@ping' && !answersPings ? undefined : answers[type];
	return data === undefined ? undefined : JSON.stringify({ type, correlationId, data });
}
