import { type ClientOptions, connectClient, type TestClient } from '@orijs/testkit';
import type { SocketData, WsProvider } from '@orijs/websocket';
import { SUBPROTOCOL } from '@orijs/websocket/protocol';

/**
 * A node in the test's own process: a Bun server whose clients name their topics in the query of the URL. They speak
 * the protocol, apart from those connected with `connectPlain`.
 */
export interface LocalNode {
	/** Connects a client. Resolves once it is subscribed to its topics, or the backend has refused them. */
	connect(
		topics?: readonly string[],
		options?: ClientOptions,
	): Promise<{ readonly id: string; readonly client: TestClient }>;
	/** Like `connect`, for a plain client. */
	connectPlain(topics: readonly string[]): Promise<{ readonly id: string; readonly client: TestClient }>;
	stop(): Promise<void>;
}

export function serveLocally(provider: WsProvider): LocalNode {
	const server = Bun.serve<SocketData<{ readonly asked: readonly string[] }>>({
		port: 0,
		fetch(req, self) {
			const asked = new URL(req.url).searchParams.getAll('topic');
			const subprotocol = new URL(req.url).searchParams.has('plain') ? undefined : SUBPROTOCOL;
			const data = { socketId: crypto.randomUUID(), data: { asked }, topics: new Set<string>(), subprotocol };
			return self.upgrade(req, { data }) ? undefined : new Response('upgrade failed', { status: 400 });
		},
		websocket: {
			async open(ws) {
				const { socketId, data } = ws.data;
				const added = provider.addConnection(ws);
				const subscribed = data.asked.map((topic) => provider.subscribe(socketId, topic, { by: 'client' }));
				await Promise.allSettled([added, ...subscribed]);
				ws.send(`id ${ws.data.socketId}`);
			},
			close(ws) {
				provider.removeConnection(ws.data.socketId);
			},
		},
	});
	provider.setServer(server);
	const connect = async (query: string, options?: ClientOptions): ReturnType<LocalNode['connect']> => {
		const client = await connectClient(`ws://localhost:${server.port}/?${query}`, options);
		const hello = await client.next((message) => typeof message === 'string' && message.startsWith('id '));
		return { id: String(hello).slice('id '.length), client };
	};
	return {
		connect: (topics = [], options) => connect(queryOf(topics), options),
		connectPlain: (topics) => connect(`plain&${queryOf(topics)}`),
		async stop() {
			await provider.stop();
			await server.stop(true);
		},
	};
}

function queryOf(topics: readonly string[]): string {
	return topics.map((topic) => `topic=${encodeURIComponent(topic)}`).join('&');
}
