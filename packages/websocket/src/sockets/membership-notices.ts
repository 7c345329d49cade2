import { answeredAt } from '../answered-at.ts';
import {
	encodeGapNotice,
	encodeSubscribedNotice,
	encodeUnsubscribedNotice,
	type GapNotice,
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
	readonly subscribed: SubscribedTopic[] | undefined;
	readonly unsubscribed: UnsubscribedTopic[] | undefined;
	/** What may be missing of the topics that the client leaves. Nothing that is found out later is reported to it. */
	readonly gaps: GapNotice[];
}

const NO_GAPS: GapNotice[] = [];

/**
 * Tells clients that speak the protocol which topics the server has subscribed them to, and from which it has
 * unsubscribed them. What changes for a client in one turn shares frames, in the order of the changes. They are sent at
 * the end of the turn, or of a batch; or, if something is sent to a topic before that, right before it.
 */
export class MembershipNotices {
	readonly #local: LocalFanout;
	readonly #watermark: () => Watermark;
	#due = new Map<WebSocketConnection, Notice[]>();
	#isBatching = false;

	constructor(local: LocalFanout, watermark: () => Watermark) {
		this.#local = local;
		this.#watermark = watermark;
	}

	/** Calls `run`, and sends what is due then. */
	batch<TResult>(run: () => TResult): TResult {
		if (this.#isBatching) return run();
		this.#isBatching = true;
		try {
			return run();
		} finally {
			this.#isBatching = false;
			this.#flush();
		}
	}

	/** Called when messages of the topic reach the client, whose socket speaks the protocol. */
	subscribed(socket: WebSocketConnection, topic: SubscribedTopic): void {
		const notices = this.#noticesOf(socket);
		const topics = notices.at(-1)?.subscribed;
		if (topics === undefined || topics.length === MAX_TOPICS) {
			notices.push({ subscribed: [topic], unsubscribed: undefined, gaps: NO_GAPS });
			return;
		}
		const known = topics.findIndex((each) => each.topic === topic.topic);
		if (known < 0) topics.push(topic);
		else topics[known] = topic;
	}

	/** Called when messages of the topic no longer reach the client, whose socket speaks the protocol. */
	unsubscribed(socket: WebSocketConnection, topic: UnsubscribedTopic): void {
		const notices = this.#noticesOf(socket);
		let last = notices.at(-1);
		if (last?.unsubscribed === undefined || last.unsubscribed.length === MAX_TOPICS) {
			last = { subscribed: undefined, unsubscribed: [], gaps: [] };
			notices.push(last);
		}
		last.unsubscribed?.push(topic);
		const { lagMs, isLagging, clocksBehindMs, clocksAheadMs } = this.#watermark();
		if (!isLagging) return;
		const now = Date.now();
		last.gaps.push({ topic: topic.topic, since: Math.floor(now - lagMs - clocksBehindMs), until: now + clocksAheadMs });
	}

	#noticesOf(socket: WebSocketConnection): Notice[] {
		if (this.#due.size === 0) {
			if (!this.#isBatching) queueMicrotask(this.#flush);
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
		if (this.#due.size === 0) return;
		const due = this.#due;
		this.#due = new Map();
		for (const [socket, notices] of due) this.#send(socket, notices);
	};

	#send(socket: WebSocketConnection, notices: readonly Notice[]): void {
		for (const { subscribed, unsubscribed, gaps } of notices) {
			for (const gap of gaps) this.#sendFrame(socket, encodeGapNotice(gap));
			this.#sendFrame(
				socket,
				subscribed === undefined
					? encodeUnsubscribedNotice({ topics: unsubscribed ?? [] })
					: encodeSubscribedNotice(answeredAt(this.#watermark()), subscribed),
			);
		}
	}

	#sendFrame(socket: WebSocketConnection, frame: string): void {
		if (socket.readyState !== WebSocket.OPEN) return;
		// A client that has missed one would be wrong about its topics for good.
		if (!this.#local.toSocket(socket, frame, true)) socket.close(CloseCode.tryAgainLater, 'reads too slowly');
	}
}
