import { connectClient, connectSpeaker, RecordingLogger, type TestClient } from '@orijs/testkit';
import {
	type Bus,
	type HistoryRules,
	InProcWsProvider,
	type PresenceRules,
	type PresenceStore,
	type WebSocketProvider,
	WsProvider,
} from '@orijs/websocket';
import type { PresenceNotice, WatchAnswer } from '@orijs/websocket/protocol';
import { MemoryBackend } from '@orijs/websocket/testing';
import { Application, type SocketRouter, type WebSocketHandlers, type WebSocketOptions } from '../index.ts';
import { serve } from './serve.ts';
import { parse, sendTyped } from './typed-client.ts';

export interface PresenceNode {
	readonly app: Application<any>;
	readonly provider: WebSocketProvider;
	readonly log: RecordingLogger;
	readonly port: number;
	/** Connects a client that speaks the protocol. Without a user, it is only a connection. */
	speaker(user?: string): Promise<TestClient>;
	plain(user?: string): Promise<TestClient>;
}

export interface PresenceNodeOptions extends Omit<WebSocketOptions, 'upgrade'> {
	/** The topics whose presence is kept. Default: those that begin with `room:`. */
	readonly kept?: PresenceRules;
	/** The routers of one node. */
	readonly routers?: () => readonly SocketRouter<any>[];
	readonly handlers?: WebSocketHandlers;
	readonly history?: HistoryRules;
}

export interface PresenceCluster {
	readonly nodes: [PresenceNode, PresenceNode];
	/** The first node reads members only when the returned function is called. */
	holdReads(): () => void;
	/** Cuts the first node off from the backend. */
	cut(): void;
	restore(): void;
}

const KEPT: PresenceRules = { 'room:*': { leaveDelayMs: 0 }, 'silent:*': { events: 'none' } };

/** Starts a node without others. Its clients may subscribe to anything. It listens until the test ends. */
export function presenceNode(options: PresenceNodeOptions = {}): Promise<PresenceNode> {
	const log = new RecordingLogger();
	const { kept = KEPT, history = {} } = options;
	return startNode(new InProcWsProvider({ logger: log, presence: kept, history }), log, options);
}

/** Starts two nodes that share a backend. */
export async function presenceNodes(options: PresenceNodeOptions = {}): Promise<[PresenceNode, PresenceNode]> {
	const { nodes } = await presenceCluster(options);
	return nodes;
}

/** Like {@link presenceNodes}, with a backend that the first node can be cut off from. */
export async function presenceCluster(options: PresenceNodeOptions = {}): Promise<PresenceCluster> {
	const backend = new MemoryBackend();
	const buses: Bus[] = [];
	const start = (): Promise<PresenceNode> => {
		const logger = new RecordingLogger();
		const bus = backend.createBus();
		buses.push(bus);
		const provider = new WsProvider({ bus, logger, graceMs: 0, presence: options.kept ?? KEPT });
		return startNode(provider, logger, options);
	};
	const nodes: [PresenceNode, PresenceNode] = [await start(), await start()];
	const [{ presence }] = buses as [Bus];
	return {
		nodes,
		holdReads() {
			const { promise, resolve } = Promise.withResolvers<void>();
			const read = presence?.read.bind(presence) as PresenceStore['read'];
			(presence as PresenceStore).read = async (...query) => {
				await promise;
				return read(...query);
			};
			return resolve;
		},
		cut: () => backend.cut(buses[0] as Bus),
		restore: () => backend.restore(buses[0] as Bus),
	};
}

async function startNode(
	provider: WebSocketProvider,
	log: RecordingLogger,
	{ kept: _, history: __, routers = () => [], handlers, ...options }: PresenceNodeOptions,
): Promise<PresenceNode> {
	const app = new Application({ logger: log }).websocket(provider, {
		authorize: { subscribe: () => true },
		...options,
		upgrade(req, response) {
			response.userId = new URL(req.url).searchParams.get('user') ?? undefined;
			return {};
		},
	});
	for (const router of routers()) app.socketRouter(router);
	if (handlers !== undefined) app.onWebSocket(handlers);
	const { ws, port } = await serve(app);
	const urlOf = (user: string | undefined): string => (user === undefined ? ws : `${ws}?user=${user}`);
	return {
		app,
		provider,
		log,
		port,
		speaker: (user) => connectSpeaker(urlOf(user)),
		plain: (user) => connectClient(urlOf(user)),
	};
}

/** Sends a request and resolves with its answer: the data, or the error. */
export async function request<TAnswer = any>(client: TestClient, type: string, data?: unknown): Promise<TAnswer> {
	const id = crypto.randomUUID();
	sendTyped(client, type, data, id);
	const answer = parse(await client.next((message) => parse(message)['correlationId'] === id));
	return (answer['error'] ?? answer['data']) as TAnswer;
}

/** Subscribes a client to a topic and watches it. Resolves with the members. */
export async function enter(client: TestClient, topic: string): Promise<WatchAnswer> {
	await request(client, '@subscribe', { topic });
	return request(client, '@watch', { topic });
}

/** The keys of the members in an answer. */
export function keysOf({ members }: WatchAnswer): string[] | undefined {
	return members?.map(({ key }) => key);
}

/** The changes that a client has been sent, in order. */
export function changesOf(client: TestClient): PresenceNotice[] {
	return framesOf(client, '@presence').map(({ data }) => data as PresenceNotice);
}

/** The frames of one type that a client has received. */
export function framesOf(client: TestClient, type: string): Record<string, unknown>[] {
	const frames = client.texts.filter((text) => text.startsWith('{')).map(parse);
	return frames.filter((frame) => frame['type'] === type);
}
