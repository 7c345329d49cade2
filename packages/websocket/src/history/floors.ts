import type { Position } from '../protocol/position.ts';
import type { WebSocketConnection } from '../sockets/websocket-connection.ts';

/** The position before which a socket is sent nothing; `now` before it is live: nothing that was published so far. */
export type Floor = Position | 'now';

/** Remembers where sockets were subscribed that may receive only what follows. */
export class Floors {
	/** By topic. */
	readonly #floors = new Map<string, Map<WebSocketConnection, Floor>>();

	/** Returns the floor of a subscription; undefined if the socket may receive everything. */
	of(socket: WebSocketConnection, topic: string): Floor | undefined {
		return this.#floors.get(topic)?.get(socket);
	}

	/** Adds a floor where the socket will be live. */
	add(socket: WebSocketConnection, topic: string): void {
		let ofTopic = this.#floors.get(topic);
		if (ofTopic === undefined) this.#floors.set(topic, (ofTopic = new Map()));
		ofTopic.set(socket, 'now');
	}

	/** Called when a socket has become live: live messages follow the position. */
	live(socket: WebSocketConnection, topic: string, position: Position): void {
		const ofTopic = this.#floors.get(topic);
		if (ofTopic?.get(socket) === 'now') ofTopic.set(socket, position);
	}

	/** Called when the topic continues from a position that does not follow from the earlier ones. */
	moved(topic: string, position: Position): void {
		const ofTopic = this.#floors.get(topic);
		if (ofTopic === undefined) return;
		for (const [socket, floor] of ofTopic) if (floor !== 'now') ofTopic.set(socket, position);
	}

	delete(socket: WebSocketConnection, topic: string): void {
		const ofTopic = this.#floors.get(topic);
		if (ofTopic?.delete(socket) === true && ofTopic.size === 0) this.#floors.delete(topic);
	}
}
