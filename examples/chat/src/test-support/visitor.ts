import { until } from '@orijs/testkit';
import {
	type Envelope,
	type GapNotice,
	type InferOutput,
	isMessage,
	type PresenceHandle,
	type RecoveredTopic,
	SocketClient,
	type SocketMessage,
	type TopicChange,
} from '@orijs/websocket-client';
import { userIdOf } from '../entering.ts';
import { Enter, roomOf, Say, topicOf } from '../messages.ts';

/** A visitor who uses only a client, without a page. */
export interface Visitor {
	/** The user id. */
	readonly id: string;
	readonly client: SocketClient;
	/** The messages received so far, in order. */
	readonly envelopes: readonly Envelope[];
	readonly gaps: readonly GapNotice[];
	readonly recovered: readonly RecoveredTopic[];
	readonly changes: readonly TopicChange[];
	enter(room: string): Promise<InferOutput<typeof Enter.reply>>;
	say(room: string, text: string, id?: string): Promise<{ at: number }>;
	/** Watches who is in a room. */
	watch(room: string): Watched;
	/** Resolves with the first matching message, which may have arrived already. */
	hear<T extends SocketMessage>(
		message: T,
		fits?: (data: InferOutput<T['data']>) => boolean,
	): Promise<InferOutput<T['data']>>;
	/** Returns the messages of one kind that were received so far. */
	heard<T extends SocketMessage>(message: T): InferOutput<T['data']>[];
}

/** A room whose members are watched. */
export interface Watched {
	readonly handle: PresenceHandle;
	/** Resolves once exactly those with these names are in the room. */
	untilHere(...names: readonly string[]): Promise<void>;
}

const connected: SocketClient[] = [];

/**
 * Connects a visitor, trying again until the server listens.
 *
 * @param key makes them a moderator
 * @param visitor the id of their browser
 */
export async function visit(
	port: number | undefined,
	name: unknown,
	key?: string,
	visitor: string = crypto.randomUUID(),
): Promise<Visitor> {
	const client: SocketClient = new SocketClient(`ws://localhost:${port}/ws`, {
		// As the page does.
		auth: () => ({ visitor, name, key, room: client.topics.map(({ topic }) => roomOf(topic)).find((room) => room) }),
		reconnect: { minDelayMs: 50, maxDelayMs: 200 },
		heartbeat: { intervalMs: 500, timeoutMs: 2_000 },
	});
	connected.push(client);
	// Errors are ignored here, because the test fails anyway if an event that it waits for doesn't happen.
	client.onError(() => {});
	const envelopes: Envelope[] = [];
	const gaps: GapNotice[] = [];
	const recovered: RecoveredTopic[] = [];
	const changes: TopicChange[] = [];
	client.onAny((envelope) => envelopes.push(envelope));
	client.onGap((gap) => gap.topic !== '*' && gaps.push(gap));
	client.onRecovered((topic) => recovered.push(topic));
	client.onTopicsChange((change) => changes.push(change));
	const heard = <T extends SocketMessage>(message: T): InferOutput<T['data']>[] =>
		envelopes.filter((envelope) => isMessage(message, envelope)).map(({ data }) => data);
	await client.connect();
	return {
		id: userIdOf(visitor),
		client,
		envelopes,
		gaps,
		recovered,
		changes,
		enter: (room) => client.request(Enter, { room }),
		say: (room, text, id = crypto.randomUUID()) => client.request(Say, { id, room, text }),
		watch(room) {
			const handle = client.presence(topicOf(room));
			const names = (): string[] => handle.members.map(({ info }) => String(info?.['name'])).toSorted();
			return {
				handle,
				untilHere: (...expected) =>
					until(() => names().join() === expected.join(), {
						what: () => `${expected.join()} and no one else is in ${room}; ${names().join()} is`,
						timeoutMs: 10_000,
					}),
			};
		},
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
