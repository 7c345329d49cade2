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
 * unsubscribed them. What changes for a client in one turn shares frames, in the order of the changes. They are sent at
 * the end of the turn or, if something is sent to a topic before that, right before it.
 */
export class MembershipNotices {
	readonly #local: LocalFanout;
	readonly #watermark: () => Watermark;
	readonly #due = new Map<WebSocketConnection, Notice[]>();

	constructor(local: LocalFanout, watermark: () => Watermark) {
		this.#local = local;
		this.#watermark = watermark;
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
		if (this.#due.size === 0) {
			queueMicrotask(this.#flush);
			this.#local.beforeTopics(this.#flush);
		}
		let notices = this.#due.get(socket);
		if (notices === undefined) this.#due.set(socket, (notices = []));
		return notices;
	}

	/** Called when a socket has been removed. Nothing more is sent to it. */
	removed(socket: WebSocketConnection): void {
		if (this.#due.size > 0) this.#due.delete(socket);
	}

	readonly #flush = (): void => {
		for (const [socket, notices] of this.#due) {
			this.#due.delete(socket);
			this.#send(socket, notices);
		}
	};

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
