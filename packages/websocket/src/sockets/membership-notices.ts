import { answeredAt } from '../answered-at.ts';
import {
	encodeSubscribedNotice,
	encodeUnsubscribedNotice,
	MAX_TOPICS,
	type SubscribedTopic,
	type UnsubscribedTopic,
} from '../protocol/built-in.ts';
import { CloseCode } from '../protocol/closing.ts';
import type { Watermark } from '../provider-contract.ts';
import type { LocalFanout } from './local-fanout.ts';
import type { WebSocketConnection } from './websocket-connection.ts';

/** The topics of one frame. */
interface Notice {
	readonly subscribed: Map<string, SubscribedTopic> | undefined;
	readonly unsubscribed: Map<string, UnsubscribedTopic> | undefined;
}

/**
 * Tells clients that speak the protocol which topics the server has subscribed them to, and from which it has
 * unsubscribed them. What changes for a client in one turn shares frames, in the order of the changes.
 *
 * Nothing of a topic may be sent to a client between a change and its frame: call {@link flush} before a message of a
 * topic with history, whose position is in the frame, and {@link flushFor} when a socket is subscribed.
 */
export class MembershipNotices {
	readonly #local: LocalFanout;
	readonly #watermark: () => Watermark;
	readonly #due = new Map<WebSocketConnection, Notice[]>();

	constructor(local: LocalFanout, watermark: () => Watermark) {
		this.#local = local;
		this.#watermark = watermark;
	}

	/** Whether any are to be sent. */
	get areDue(): boolean {
		return this.#due.size > 0;
	}

	/** Called when messages of the topic reach the client, whose socket speaks the protocol. */
	subscribed(socket: WebSocketConnection, topic: SubscribedTopic): void {
		const notices = this.#noticesOf(socket);
		let topics = notices.at(-1)?.subscribed;
		if (topics === undefined || topics.size === MAX_TOPICS) {
			topics = new Map();
			notices.push({ subscribed: topics, unsubscribed: undefined });
		}
		topics.set(topic.topic, topic);
	}

	/** Called when messages of the topic no longer reach the client, whose socket speaks the protocol. */
	unsubscribed(socket: WebSocketConnection, topic: UnsubscribedTopic): void {
		const notices = this.#noticesOf(socket);
		let topics = notices.at(-1)?.unsubscribed;
		if (topics === undefined || topics.size === MAX_TOPICS) {
			topics = new Map();
			notices.push({ subscribed: undefined, unsubscribed: topics });
		}
		topics.set(topic.topic, topic);
	}

	#noticesOf(socket: WebSocketConnection): Notice[] {
		if (this.#due.size === 0) queueMicrotask(() => this.flush());
		let notices = this.#due.get(socket);
		if (notices === undefined) this.#due.set(socket, (notices = []));
		return notices;
	}

	/** Sends what is due to one socket. */
	flushFor(socket: WebSocketConnection): void {
		const notices = this.#due.size === 0 ? undefined : this.#due.get(socket);
		if (notices === undefined) return;
		this.#due.delete(socket);
		this.#send(socket, notices);
	}

	/** Sends all that is due. */
	flush(): void {
		for (const [socket, notices] of this.#due) {
			this.#due.delete(socket);
			this.#send(socket, notices);
		}
	}

	#send(socket: WebSocketConnection, notices: readonly Notice[]): void {
		for (const { subscribed, unsubscribed } of notices) {
			if (socket.readyState !== WebSocket.OPEN) return;
			const frame =
				subscribed === undefined
					? encodeUnsubscribedNotice({ topics: [...(unsubscribed?.values() ?? [])] })
					: encodeSubscribedNotice({ ...answeredAt(this.#watermark()), topics: [...subscribed.values()] });
			// A client that has missed one would be wrong about its topics for good.
			if (!this.#local.toSocket(socket, frame, true)) socket.close(CloseCode.tryAgainLater, 'reads too slowly');
		}
	}
}
