import {
	BuiltIn,
	InvalidTopicError,
	isTopic,
	type PresenceNotice,
	type UnwatchedNotice,
} from '@orijs/websocket/protocol';
import type { ClientClosedError } from '../errors.ts';
import type { Failures } from '../failures.ts';
import { checked } from '../options.ts';
import { unsentRequest } from '../requests/request.ts';
import type { SendQueue } from '../requests/send-queue.ts';
import type { PresenceHandle, PresenceOptions } from './presence.ts';
import { TopicHandle } from './topic-handle.ts';
import { type PresenceOwner, TopicPresence } from './topic-presence.ts';

/** The topics whose members the application wants to know. */
export class Presences implements PresenceOwner {
	readonly failures: Failures;
	readonly isComing: (topic: string) => boolean;
	readonly end: () => ClientClosedError | undefined;
	isOpen = false;
	isQuiet = false;
	readonly #queue: SendQueue;
	readonly #topics = new Map<string, TopicPresence>();

	/** For the parameters that are functions, see {@link PresenceOwner}. */
	constructor(
		failures: Failures,
		queue: SendQueue,
		isComing: (topic: string) => boolean,
		end: () => ClientClosedError | undefined,
	) {
		this.failures = failures;
		this.#queue = queue;
		this.isComing = isComing;
		this.end = end;
	}

	/** Adds a handle. If an argument is invalid, or the client is closed, it ends with the error. */
	add(topic: string, options: PresenceOptions): PresenceHandle {
		const handle = new TopicHandle(topic);
		try {
			if (!isTopic(topic)) throw new InvalidTopicError(topic);
			const all = checked('presence', options, {
				onChange: undefined,
				onRefused: undefined,
				schema: undefined,
				members: undefined,
				signal: undefined,
			});
			const end = this.end();
			if (end) throw end;
			const presence = this.#topics.get(topic) ?? new TopicPresence(topic, this);
			this.#topics.set(topic, presence);
			handle.begin(presence, all);
		} catch (error) {
			// If `ready` is not awaited, this would otherwise go unnoticed.
			handle.end(error as Error);
			this.failures.report(error, 'presence');
		}
		return handle;
	}

	ended(presence: TopicPresence): void {
		if (this.#topics.get(presence.topic) === presence) this.#topics.delete(presence.topic);
	}

	/** Called when a connection is ready. */
	open(): void {
		this.isOpen = true;
		this.isQuiet = false;
		for (const presence of this.#topics.values()) presence.open();
	}

	/** Called when the connection has been lost. @param isClosing whether the application has closed the client */
	shut(isClosing: boolean): void {
		this.isOpen = false;
		this.isQuiet = isClosing;
		for (const presence of this.#topics.values()) presence.shut();
	}

	/** Called when the client stops reconnecting. */
	closed(error: Error): void {
		for (const presence of this.#topics.values()) presence.closed(error);
	}

	/** Called when the client has come into a topic, or may have left it. */
	moved(topic: string, isIn: boolean): void {
		this.#topics.get(topic)?.moved(isIn);
	}

	/** Called for a notice of the server. */
	notice(type: string, data: PresenceNotice | UnwatchedNotice): void {
		const presence = this.#topics.get(data.topic);
		if (type === BuiltIn.presence) presence?.notice(data as PresenceNotice);
		else presence?.unwatched(data as UnwatchedNotice);
	}

	ask(type: string, topic: string, data?: object): Promise<unknown> {
		const queue = this.#queue;
		const name = `${type} ${topic}`;
		const correlationId = String(++queue.requests);
		const text = JSON.stringify({ type, data: { topic, ...data }, correlationId });
		return new Promise((resolve, reject) => {
			queue.ask({
				text,
				deliver: (connection, bytes) => void connection.request(name, correlationId, text, bytes).then(resolve, reject),
				refuse: (code, why) => reject(unsentRequest(name, code, why)),
			});
		});
	}
}
