import type { Gap, WebSocketProvider } from '@orijs/websocket';
import { encodeGapNotice } from '@orijs/websocket/protocol';
import type { Session, SessionHost } from './session.ts';
import { SocketSession } from './socket-session.ts';

/** The `topic` of gaps in messages sent to individual sockets or to all sockets. */
const TO_SOCKETS = '*';

/** Sends gap notices to those clients of an endpoint that speak the protocol. */
export class GapForwarding {
	readonly #provider: WebSocketProvider;
	readonly #host: SessionHost;
	readonly #unsubscribe: () => void;

	constructor(provider: WebSocketProvider, host: SessionHost) {
		this.#provider = provider;
		this.#host = host;
		this.#unsubscribe = provider.onGap((gap) => this.#notify(gap));
	}

	#notify(gap: Gap): void {
		const notice = encodeGapNotice(gap);
		const sessions = gap.topic === TO_SOCKETS ? this.#allSessions() : this.#subscribersOf(gap.topic);
		for (const session of sessions) session.send(notice);
	}

	*#allSessions(): Generator<Session> {
		for (const { data } of this.#provider.getConnections()) if (this.#isOwn(data)) yield data;
	}

	*#subscribersOf(topic: string): Generator<Session> {
		for (const socketId of this.#provider.getTopicSubscribers(topic)) {
			const data = this.#provider.getConnection(socketId)?.data;
			if (this.#isOwn(data)) yield data;
		}
	}

	/** Whether a connection belongs to this endpoint, and not to another one with the same provider. */
	#isOwn(data: unknown): data is SocketSession {
		return data instanceof SocketSession && data.host === this.#host;
	}

	/**
	 * Returns the earliest publication time that a message arriving now can have, by the clock of any node (ms since the
	 * epoch).
	 */
	earliestArriving(): number {
		const { lagMs, clocksBehindMs } = this.#provider.watermark();
		return Date.now() - lagMs - clocksBehindMs;
	}

	/**
	 * Notifies one client that any message to it since `since` (ms since the epoch) may be missing. Returns false if a
	 * notice could not be sent.
	 */
	notifyOne(session: Session, since: number): boolean {
		const until = Date.now() + this.#provider.watermark().clocksAheadMs;
		let areSent = true;
		for (const topic of [TO_SOCKETS, ...session.topics]) {
			areSent = session.send(encodeGapNotice({ topic, since, until })) && areSent;
		}
		return areSent;
	}

	/**
	 * Notifies a client that other nodes could not send to it until now.
	 *
	 * @param forMs for how long, in milliseconds
	 */
	wasUnreachable(session: Session, forMs: number): void {
		const since = Math.floor(this.earliestArriving() - forMs);
		const until = Date.now() + this.#provider.watermark().clocksAheadMs;
		session.send(encodeGapNotice({ topic: TO_SOCKETS, since, until }));
	}

	stop(): void {
		this.#unsubscribe();
	}
}
