import { connectClient, RecordingLogger, type TestClient } from '@orijs/testkit';
import { onTestFinished } from 'vitest';
import type { Bus } from '../bus.ts';
import { isSpeaker, type SocketData, type WebSocketConnection } from '../sockets/websocket-connection.ts';
import type { HistoryRules } from '../history/history-rules.ts';
import type { PresenceRules } from '../presence/presence-rules.ts';
import type { Secret } from '../wire/secrets.ts';
import { rejected } from '../support/promises.ts';
import { SocketCoordinator } from '../socket-coordinator.ts';
import { WsProvider } from '../ws-provider.ts';

export interface NodeOptions {
	readonly bus?: Bus;
	readonly history?: HistoryRules;
	readonly presence?: PresenceRules;
	readonly graceMs?: number;
	readonly heartbeatMs?: number;
	readonly collectBeatsAbove?: number;
	readonly secret?: Secret | readonly Secret[];
	readonly acceptUnsigned?: boolean;
	/** Whether to call `setServer`, before the start. Default true. */
	readonly setServer?: boolean;
	/** Whether to start the provider. Default true. */
	readonly start?: boolean;
	/** The subprotocol of the clients that `connect` connects. Default: none, so that they are plain. */
	readonly subprotocol?: string;
	/** Bun's limit for the bytes queued for a socket. Default: Bun's own default. */
	readonly backpressureLimit?: number;
}

/** A connection attempt, as seen by the client and by the server. */
export interface Attempt {
	readonly client: TestClient;
	readonly ws: WebSocketConnection;
	/** The promise that `addConnection` returned; rejected if it threw instead. */
	readonly added: Promise<void>;
}

/** A client that the provider knows. */
export interface Member extends Attempt {
	readonly id: string;
}

/** A provider and its coordinator with a real `Bun.serve`, as in the README. Closed after the test. */
export interface TestNode {
	readonly provider: WsProvider;
	readonly coordinator: SocketCoordinator;
	readonly server: Bun.Server<SocketData>;
	readonly log: RecordingLogger;
	/**
	 * Connects a client and waits until every node can reach it. Rejects if its socket is not admitted. One that speaks
	 * the protocol is subscribed to its topics as if it had asked for them, so that it is not told.
	 */
	connect(data?: Partial<SocketData>): Promise<Member>;
	/** Connects a client with any value as `ws.data`, without waiting for the promise of `addConnection`. */
	attempt(data: unknown): Promise<Attempt>;
	/** Resolves once all messages sent to this client so far are in its `messages`. */
	settled(member: Attempt): Promise<void>;
	/** Stops the provider and the server, and closes its connections. Idempotent. */
	close(): Promise<void>;
}

export async function openNode(options: NodeOptions = {}): Promise<TestNode> {
	const { setServer = true, start = true, subprotocol, backpressureLimit, ...providerOptions } = options;
	const log = new RecordingLogger();
	const provider = new WsProvider({ ...providerOptions, logger: log });
	const coordinator = new SocketCoordinator({ provider, logger: log });
	const attached = new Map<string, unknown>();
	const opened = new Map<string, Pick<Attempt, 'ws' | 'added'>>();
	let upgrading = '';
	let attempts = 0;

	const add = (ws: WebSocketConnection): Promise<void> => {
		try {
			return coordinator.addConnection(ws);
		} catch (cause) {
			return rejected(new Error(`addConnection threw: ${String(cause)}`, { cause }));
		}
	};

	const server = Bun.serve<SocketData>({
		port: 0,
		fetch(req, self) {
			// Bun calls `open` before `upgrade` returns.
			upgrading = new URL(req.url).pathname;
			if (self.upgrade(req, { data: attached.get(upgrading) as SocketData })) return undefined;
			return new Response('not a WebSocket', { status: 426 });
		},
		websocket: {
			...(backpressureLimit !== undefined && { backpressureLimit }),
			open: (ws) => void opened.set(upgrading, { ws, added: add(ws) }),
			message() {},
			close: (ws) => void coordinator.removeConnection(ws.data.socketId),
		},
	});
	if (setServer) provider.setServer(server);
	if (start) await provider.start();

	const attempt = async (data: unknown): Promise<Attempt> => {
		const path = `/${attempts++}`;
		attached.set(path, data);
		const client = await connectClient(`ws://localhost:${server.port}${path}`);
		const serverSide = opened.get(path);
		if (serverSide === undefined) throw new Error('the client is connected but open was not called');
		return { client, ...serverSide };
	};

	let closing: Promise<void> | undefined;
	const node: TestNode = {
		provider,
		coordinator,
		server,
		log,
		attempt,
		async connect(data = {}) {
			const id = data.socketId ?? crypto.randomUUID();
			const whole = { data: {}, topics: new Set<string>(), subprotocol, ...data, socketId: id };
			const asked = isSpeaker({ data: whole }) ? [...whole.topics] : [];
			const made = await attempt(asked.length === 0 ? whole : { ...whole, topics: new Set() });
			await made.added;
			await Promise.all(asked.map((topic) => provider.subscribe(id, topic, { by: 'client' })));
			return { ...made, id };
		},
		async settled({ client, ws }) {
			const marker = `marker ${crypto.randomUUID()}`;
			ws.send(marker);
			await client.next((message) => message === marker);
		},
		close() {
			closing ??= Promise.all([provider.stop(), server.stop(true)]).then(() => {});
			return closing;
		},
	};
	onTestFinished(() => node.close());
	return node;
}

/** Returns the messages that a client has received, in order, without the markers of `settled`. */
export function messagesOf({ client }: Attempt): readonly (string | Uint8Array)[] {
	return client.messages.filter((message) => typeof message !== 'string' || !message.startsWith('marker '));
}
