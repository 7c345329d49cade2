import { until } from '@orijs/testkit';
import {
	type Envelope,
	type GapNotice,
	type InferOutput,
	isMessage,
	SocketClient,
	type SocketMessage,
} from '@orijs/websocket-client';
import { Enter, type NodeList, type Person, Say, saidTopicOf, topicOf } from '../messages.ts';

/** A visitor who uses only a client, without a page. */
export interface Visitor {
	readonly client: SocketClient;
	/** The messages received so far, in order. */
	readonly envelopes: readonly Envelope[];
	readonly gaps: readonly GapNotice[];
	/** Subscribes to a room and enters it, as a page does. */
	enter(room: string): Promise<NodeList & { you: Person }>;
	say(room: string, text: string, id?: string): Promise<{ at: number }>;
	/** Resolves with the first matching message, which may have arrived already. */
	hear<T extends SocketMessage>(
		message: T,
		fits?: (data: InferOutput<T['data']>) => boolean,
	): Promise<InferOutput<T['data']>>;
	/** Returns the messages of one kind that were received so far. */
	heard<T extends SocketMessage>(message: T): InferOutput<T['data']>[];
}

const connected: SocketClient[] = [];

/** Connects a visitor, trying again until the server listens. */
export async function visit(port: number | undefined, name: unknown): Promise<Visitor> {
	const client = new SocketClient(`ws://localhost:${port}/ws`, {
		auth: () => ({ name }),
		reconnect: { minDelayMs: 50, maxDelayMs: 200 },
		heartbeat: { intervalMs: 500, timeoutMs: 2_000 },
	});
	connected.push(client);
	// Errors are ignored here, because a failure shows up in what the test waits for.
	client.onError(() => {});
	const envelopes: Envelope[] = [];
	const gaps: GapNotice[] = [];
	const heard = <T extends SocketMessage>(message: T): InferOutput<T['data']>[] =>
		envelopes.filter((envelope) => isMessage(message, envelope)).map(({ data }) => data);
	await client.connect();
	return {
		client,
		envelopes,
		gaps,
		async enter(room) {
			const handlers = {
				onMessage: (_data: unknown, envelope: Envelope) => envelopes.push(envelope),
				onGap: (gap: GapNotice) => gaps.push(gap),
			};
			await Promise.all([topicOf(room), saidTopicOf(room)].map((topic) => client.subscribe(topic, handlers)));
			return client.request(Enter, { room });
		},
		say: (room, text, id = crypto.randomUUID()) => client.request(Say, { id, room, text }),
		heard,
		async hear(message, fits = () => true) {
			await until(() => heard(message).some(fits), { what: `${message.name} has arrived`, timeoutMs: 10_000 });
			return heard(message).find(fits);
		},
	};
}

/** Disconnects all visitors. Must be called after each test. */
export async function allLeave(): Promise<void> {
	await Promise.all(connected.splice(0).map((client) => client.close()));
}
