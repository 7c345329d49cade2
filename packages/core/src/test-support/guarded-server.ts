import { connectClient, connectSpeaker, RecordingLogger, type TestClient } from '@orijs/testkit';
import { type Bus, SocketMessage, WsProvider } from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { z } from 'zod';
import { Application, type SocketRouter, type WebSocketHandlers, type WebSocketOptions } from '../index.ts';
import { serve } from './serve.ts';
import { parse, sendTyped } from './typed-client.ts';

/** A request of clients; its handler returns the connection's state. */
export const State: SocketMessage<z.ZodUnknown, z.ZodUnknown> = SocketMessage.define({
	name: 'state',
	data: z.unknown(),
	reply: z.unknown(),
});

export interface GuardedServer {
	readonly app: Application;
	readonly provider: WsProvider;
	/** A provider of another node. */
	readonly other: WsProvider;
	readonly log: RecordingLogger;
	readonly backend: MemoryBackend;
	readonly bus: Bus;
	/** The backend confirms the topics subscribed from now on only when the returned function is called. */
	holdConfirmations(): () => void;
	/** Connects a client that speaks the protocol. */
	connect(options?: Parameters<typeof connectSpeaker>[1]): Promise<TestClient>;
	connectPlain(): Promise<TestClient>;
}

/** Serves a router on a node whose backend can be cut off, and be made not to confirm subscriptions. */
export async function serveGuarded<TState extends object>(
	router: SocketRouter<TState>,
	{ handlers, ...options }: WebSocketOptions & { handlers?: WebSocketHandlers } = {},
): Promise<GuardedServer> {
	const log = new RecordingLogger();
	const backend = new MemoryBackend();
	const bus = backend.createBus();
	const confirming = { gate: Promise.resolve() };
	const { subscribe } = bus;
	bus.subscribe = async (channels) => {
		await subscribe(channels);
		if (channels.some((channel) => !channel.startsWith('@'))) await confirming.gate;
	};
	const provider = new WsProvider({ bus, logger: log, graceMs: 0 });
	const other = new WsProvider({ bus: backend.createBus(), logger: log });
	const app = new Application({ logger: log }).websocket(provider, options);
	app.socketRouter(router.on(State, ({ state }) => ({ ...state })) as unknown as SocketRouter);
	if (handlers !== undefined) app.onWebSocket(handlers);
	const { ws } = await serve(app);
	await other.start();
	return {
		app,
		provider,
		other,
		log,
		backend,
		bus,
		holdConfirmations() {
			const { promise, resolve } = Promise.withResolvers<void>();
			confirming.gate = promise;
			return resolve;
		},
		connect: (using) => connectSpeaker(ws, using),
		connectPlain: () => connectClient(ws),
	};
}

/** Sends a request, and resolves with its answer. */
export async function ask(client: TestClient, type: string, data?: unknown): Promise<Record<string, any>> {
	const correlationId = crypto.randomUUID();
	sendTyped(client, type, data, correlationId);
	return parse(await client.next((frame) => String(frame).includes(correlationId)));
}

/** The frames of the protocol that a client has received, each as its type or name, with the topics of notices. */
export function framesOf(client: TestClient): string[] {
	const frames = client.texts.filter((text) => text.startsWith('{')).map(parse);
	return frames.map(({ type, name, data }) => {
		const { topic, topics } = (data ?? {}) as { topic?: string; topics?: readonly { topic: string }[] };
		return [type ?? name, ...(topics?.map((each) => each.topic) ?? []), ...(topic === undefined ? [] : [topic])].join(
			' ',
		);
	});
}
