import { connectSpeaker, RecordingLogger, type TestClient } from '@orijs/testkit';
import { SocketMessage, WsProvider } from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { z } from 'zod';
import { Application, type AppSocket, type Authorize, type Limits, SocketRouter } from '../index.ts';
import { serve } from './serve.ts';
import { parse, sendTyped } from './typed-client.ts';

/** A request that asks for nothing: its answer shows that everything before it has been handled. */
const Nothing = SocketMessage.define({ name: 'nothing', data: z.unknown(), reply: z.null() });

export interface RightsServer {
	readonly app: Application;
	readonly provider: WsProvider;
	readonly log: RecordingLogger;
	/** Connects a client that speaks the protocol, and returns both ends of the connection. */
	connect(): Promise<{ readonly client: TestClient; readonly ws: AppSocket }>;
	/** The backend confirms the topics subscribed from now on only when the returned function is called. */
	holdConfirmations(): () => void;
	/** The backend refuses the topics subscribed from now on. */
	refuseTopics(): void;
}

export interface RightsServerOptions {
	readonly limits?: Limits;
	readonly router?: SocketRouter;
	/** A second router. */
	readonly other?: SocketRouter;
	/** Shared with other nodes. */
	readonly backend?: MemoryBackend;
	readonly userId?: string;
}

/** Serves clients whose topics `authorize` decides about. Topics that begin with `log:` have history. */
export async function serveRights(
	authorize: Authorize,
	{
		limits = {},
		router = new SocketRouter(),
		other = new SocketRouter(),
		backend = new MemoryBackend(),
		userId,
	}: RightsServerOptions = {},
): Promise<RightsServer> {
	const log = new RecordingLogger();
	const bus = backend.createBus();
	let gate = Promise.resolve();
	const { subscribe } = bus;
	let refusal: Error | undefined;
	bus.subscribe = async (channels) => {
		if (refusal !== undefined) throw refusal;
		await subscribe(channels);
		if (channels.some((channel) => !channel.startsWith('@'))) await gate;
	};
	const history = { 'log:*': { size: 10, ttlMs: 60_000 } };
	const provider = new WsProvider({ bus, logger: log, graceMs: 0, history });
	const opened: AppSocket[] = [];
	const app = new Application({ logger: log })
		.websocket(provider, {
			authorize,
			limits,
			upgrade(_, response) {
				response.userId = userId;
				return {};
			},
		})
		.socketRouter(router.on(Nothing, () => null))
		.socketRouter(other)
		.onWebSocket({ open: (ws) => void opened.push(ws) });
	const { ws: url } = await serve(app);
	return {
		app: app as unknown as Application,
		provider,
		log,
		async connect() {
			const client = await connectSpeaker(url);
			await request(client, 'nothing');
			return { client, ws: opened.at(-1) as AppSocket };
		},
		refuseTopics() {
			refusal = new Error('no more subscriptions');
		},
		holdConfirmations() {
			const { promise, resolve } = Promise.withResolvers<void>();
			gate = promise;
			return () => {
				gate = Promise.resolve();
				resolve();
			};
		},
	};
}

/** Sends a request and resolves with its answer: the data, or the error. */
export async function request(client: TestClient, type: string, data: unknown = null): Promise<unknown> {
	const id = crypto.randomUUID();
	sendTyped(client, type, data, id);
	const answer = parse(await client.next((message) => parse(message)['correlationId'] === id));
	return answer['error'] ?? answer['data'];
}

/** The topics of all `@subscribed` or `@unsubscribed` that a client has received. */
export function noticesOf(client: TestClient, type: '@subscribed' | '@unsubscribed'): unknown[] {
	return client.texts
		.filter((text) => text.startsWith('{'))
		.map(parse)
		.filter((frame) => frame['type'] === type)
		.flatMap(({ data }) => (data as { topics: unknown[] }).topics);
}
