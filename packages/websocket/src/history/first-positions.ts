import { encodePositionNotice } from '../protocol/built-in.ts';
import type { LocalFanout } from '../sockets/local-fanout.ts';
import type { WebSocketConnection } from '../sockets/websocket-connection.ts';
import type { Recovery } from './catch-up.ts';

/**
 * Sends clients the positions of topics that have no message yet. A client that subscribes to many of them at once gets
 * one frame, because they all begin at the same position.
 *
 * Nothing may be delivered on these topics before that frame: call {@link flush} before their first message, and before
 * a client is unsubscribed.
 */
export class FirstPositions {
	readonly #local: LocalFanout;
	/** The pending notices of each socket. Topics with the same epoch and the same outcome share a notice. */
	readonly #due = new Map<
		WebSocketConnection,
		Map<string, { readonly recovery: Recovery; readonly topics: string[] }>
	>();

	constructor(local: LocalFanout) {
		this.#local = local;
	}

	/** Sends the position at the end of this turn, together with those of other topics added in it. */
	add(socket: WebSocketConnection, topic: string, recovery: Recovery): void {
		if (this.#due.size === 0) queueMicrotask(() => this.flush());
		let notices = this.#due.get(socket);
		if (notices === undefined) this.#due.set(socket, (notices = new Map()));
		const key = `${recovery.position.epoch} ${recovery.recovered}`;
		const notice = notices.get(key);
		if (notice === undefined) notices.set(key, { recovery, topics: [topic] });
		else notice.topics.push(topic);
	}

	/** Sends all pending notices. */
	flush(): void {
		for (const [socket, notices] of this.#due) {
			for (const { recovery, topics } of notices.values()) {
				if (socket.readyState !== WebSocket.OPEN) break;
				this.#local.toSocket(socket, positionNotice(topics, recovery), true);
			}
		}
		this.#due.clear();
	}
}

/** Encodes the notice for a client that has caught up on topics. */
export function positionNotice(topics: readonly string[], { position, recovered, count }: Recovery): string {
	return encodePositionNotice({ topics, ...position, ...(recovered !== undefined && { recovered }), count });
}
