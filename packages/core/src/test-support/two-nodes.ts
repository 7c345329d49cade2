import { type AppSocket, Application, type ApplicationSocket } from '../index.ts';
import { connectClient, connectSpeaker, RecordingLogger, type TestClient } from '@orijs/testkit';
import { WsProvider } from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { serve } from './serve.ts';

/** An application that shares its backend with others. */
export interface Node {
	readonly app: { readonly socket: ApplicationSocket };
	readonly provider: WsProvider;
	readonly log: RecordingLogger;
	/** Connects a plain client and returns both ends of the connection. */
	connect(): Promise<Connection>;
	/** Like `connect`, for a client that speaks the protocol. */
	connectSpeaker(): Promise<Connection>;
}

export interface Connection {
	readonly client: TestClient;
	readonly ws: AppSocket;
}

/** Starts two applications that share a backend. They listen until the test ends. */
export async function twoNodes(): Promise<[Node, Node]> {
	const backend = new MemoryBackend();
	return [await startNode(backend), await startNode(backend)];
}

async function startNode(backend: MemoryBackend): Promise<Node> {
	const log = new RecordingLogger();
	const provider = new WsProvider({ bus: backend.createBus(), logger: log, graceMs: 0 });
	const opened: AppSocket[] = [];
	const app = new Application({ logger: log }).websocket(provider).onWebSocket({
		open(ws) {
			opened.push(ws);
		},
	});
	const { ws: url } = await serve(app);
	const both = (client: TestClient): Connection => {
		const ws = opened.pop();
		if (ws === undefined) throw new Error('a client connected, but its socket was not opened');
		return { client, ws };
	};
	return {
		app,
		provider,
		log,
		connect: async () => both(await connectClient(url)),
		connectSpeaker: async () => both(await connectSpeaker(url)),
	};
}
