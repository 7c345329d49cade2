import type { Gap, WebSocketConnection, WebSocketProvider } from '@orijs/websocket';
import { encodeGapNotice } from '@orijs/websocket/protocol';
import type { Session } from './session.ts';

/** The `topic` of gaps in messages sent to individual sockets or to all sockets. */
const TO_SOCKETS = '*';

/** How soon after its connection a client can be reached from other nodes while all is well, in milliseconds. */
export const REACHABLE_WITHIN_MS = 250;

/**
 * Returns the session of a socket; undefined if its client gets no notices from here, as those of another endpoint with
 * the same provider.
 */
export type SessionOf = (socket: WebSocketConnection) => Session | undefined;

/** Sends gap notices to those clients of an endpoint that speak the protocol. */
export class GapForwarding {
	readonly #provider: WebSocketProvider;
	readonly #sessionOf: SessionOf;
	readonly #unsubscribe: () => void;

	constructor(provider: WebSocketProvider, sessionOf: SessionOf) {
		this.#provider = provider;
		this.#sessionOf = sessionOf;
		this.#unsubscribe = provider.onGap((gap) => this.#notify(gap));
	}

	#notify(gap: Gap): void {
		const notice = encodeGapNotice(gap);
		const sockets = gap.topic === TO_SOCKETS ? this.#provider.getConnections() : this.#subscribersOf(gap.topic);
		for (const socket of sockets) this.#sessionOf(socket)?.send(notice);
	}

	*#subscribersOf(topic: string): Generator<WebSocketConnection> {
		for (const socketId of this.#provider.getTopicSubscribers(topic)) {
			const socket = this.#provider.getConnection(socketId);
			if (socket !== undefined) yield socket;
		}
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

	/** Notifies one client that messages of a topic may be missing, from `since` (ms since the epoch) until now. */
	notifyOf(session: Session, topic: string, since: number): void {
		const until = Date.now() + this.#provider.watermark().clocksAheadMs;
		session.send(encodeGapNotice({ topic, since: Math.floor(since), until }));
	}

	/**
	 * Notifies a client that other nodes could not send to it until now.
	 *
	 * @param forMs for how long, in milliseconds
	 */
	wasUnreachable(session: Session, forMs: number): void {
		this.notifyOf(session, TO_SOCKETS, this.earliestArriving() - forMs);
	}

	stop(): void {
		this.#unsubscribe();
	}
}
