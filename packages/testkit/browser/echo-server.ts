export interface EchoServer {
	readonly url: string;
	/** All messages received so far, from all clients. */
	readonly received: readonly string[];
	/** Sends a message to every client. */
	send(message: string): void;
	/** The close codes of the connections that have ended. */
	readonly closed: readonly number[];
	stop(): Promise<void>;
}

/** Starts a WebSocket server that answers each message with `echo …`. */
export function startEchoServer(): EchoServer {
	const received: string[] = [];
	const closed: number[] = [];
	const clients = new Set<Bun.ServerWebSocket>();
	const server = Bun.serve({
		hostname: '127.0.0.1',
		port: 0,
		fetch: (request, self) => (self.upgrade(request) ? undefined : new Response('WebSocket only', { status: 426 })),
		websocket: {
			open: (client) => void clients.add(client),
			message(client, message) {
				received.push(String(message));
				client.send(`echo ${String(message)}`);
			},
			close(client, code) {
				clients.delete(client);
				closed.push(code);
			},
		},
	});
	return {
		url: `ws://127.0.0.1:${server.port}/`,
		received,
		closed,
		send: (message) => clients.forEach((client) => client.send(message)),
		stop: () => server.stop(true),
	};
}
