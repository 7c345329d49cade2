import { connectClient, connectSpeaker, RecordingLogger, type TestClient } from '@orijs/testkit';
import { WsProvider } from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { Application, type SocketRouter, type WebSocketHandlers, type WebSocketOptions } from '../index.ts';
import { serve } from './serve.ts';

export interface ClusterNode {
	readonly app: Application<any>;
	readonly provider: WsProvider;
	readonly log: RecordingLogger;
	/** Connects a client that speaks the protocol. */
	speaker(user: string): Promise<TestClient>;
	plain(user: string): Promise<TestClient>;
}

export interface ClusterNodeOptions extends Omit<WebSocketOptions, 'upgrade'> {
	/** The routers of one node. */
	readonly routers?: () => readonly SocketRouter<any>[];
	readonly handlers?: WebSocketHandlers;
	/** Awaited by `upgrade`, which says who the user is. */
	readonly upgrading?: (user: string) => Promise<unknown>;
}

/** Starts two nodes that share a backend, and whose clients say who they are. They listen until the test ends. */
export async function clusterNodes(options: ClusterNodeOptions = {}): Promise<[ClusterNode, ClusterNode]> {
	const backend = new MemoryBackend();
	return [await startNode(backend, options), await startNode(backend, options)];
}

async function startNode(
	backend: MemoryBackend,
	{ routers = () => [], handlers, upgrading, ...options }: ClusterNodeOptions,
): Promise<ClusterNode> {
	const log = new RecordingLogger();
	const provider = new WsProvider({ bus: backend.createBus(), logger: log, graceMs: 0 });
	const app = new Application({ logger: log }).websocket(provider, {
		...options,
		async upgrade(req, response) {
			const user = new URL(req.url).searchParams.get('user') ?? '';
			await upgrading?.(user);
			response.userId = user;
			return {};
		},
	});
	for (const router of routers()) app.socketRouter(router);
	if (handlers !== undefined) app.onWebSocket(handlers);
	const { ws: url } = await serve(app);
	return {
		app,
		provider,
		log,
		speaker: (user) => connectSpeaker(`${url}?user=${user}`),
		plain: (user) => connectClient(`${url}?user=${user}`),
	};
}
