import type { WebSocketConnection } from './websocket-connection.ts';
import { DropLog } from './drop-log.ts';
import type { Logger } from '../logger.ts';
import { type Payload, size } from '../wire/payload.ts';
import type { Registry } from './registry.ts';
import { type SlowReaderOptions, SlowReaders } from './slow-readers.ts';

/** The part of Bun's server that fan-out needs. */
export interface PubSubServer {
	publish(topic: string, data: string | Bun.BufferSource): number;
}

type BunMethods = Pick<WebSocketConnection, 'subscribe' | 'unsubscribe' | 'publish'>;

/** Delivery to the sockets of this process. The only place that touches Bun's pub/sub. */
export class LocalFanout {
	readonly #registry: Registry<WebSocketConnection>;
	readonly #logger: Logger;
	readonly #drops: DropLog;
	readonly #slow: SlowReaders;
	#server: PubSubServer | undefined;
	#bun: BunMethods | undefined;

	constructor(registry: Registry<WebSocketConnection>, logger: Logger) {
		this.#registry = registry;
		this.#logger = logger;
		this.#drops = new DropLog(logger);
		this.#slow = new SlowReaders(() => registry.sockets(), logger);
	}

	/** @throws {InvalidOptionError} */
	setServer(server: PubSubServer, options: SlowReaderOptions): void {
		this.#slow.configure(options);
		if (this.#server !== undefined && this.#server !== server) {
			this.#logger.warn(
				'setServer was given another server: sockets of the first get nothing more that is published. Give each server its own provider',
			);
		}
		this.#server = server;
	}

	/** Returns false when the socket is already closed. */
	subscribe(socket: WebSocketConnection, topic: string): boolean {
		return this.#bunMethods(socket).subscribe.call(socket, topic);
	}

	unsubscribe(socket: WebSocketConnection, topic: string): void {
		this.#bunMethods(socket).unsubscribe.call(socket, topic);
	}

	/** Sends to every socket in `topic`; as long as no server is set to one after the other. What Bun drops is said in the log. */
	toTopic(topic: string, payload: Payload): void {
		if (this.#server !== undefined) {
			const sent = this.#server.publish(topic, payload as string | Bun.BufferSource);
			if (sent <= 0 && !isEmpty(payload)) this.#heldUp(topic, payload, sent, this.#hasReceivers(topic) ? 1 : 0);
			return;
		}
		for (const socketId of this.#registry.members(topic)) {
			// Those that catch up are in the topic, but not yet to get this.
			if (this.#registry.get(socketId)?.isSubscribed(topic) !== true) continue;
			if (this.toSocketId(socketId, payload) === false) this.#drops.add(inTopic(topic));
		}
	}

	/** Whether so little waits for the socket that more can be sent which is not urgent. @param corked bytes that Bun does not count yet */
	hasRoom(socket: WebSocketConnection, corked = 0): boolean {
		return this.#slow.hasRoom(socket, corked);
	}

	/** Sends to every socket in `topic` but this one. What Bun drops is said in the log. */
	toOthers(socket: WebSocketConnection, topic: string, payload: Payload): void {
		const sent = this.#bunMethods(socket).publish.call(socket, topic, payload as string | Bun.BufferSource);
		if (sent > 0 || isEmpty(payload)) return;
		this.#heldUp(topic, payload, sent, this.#registry.memberCount(topic) - (socket.data.topics.has(topic) ? 1 : 0));
	}

	/** Those that catch up are in the topic, but Bun does not send to them. */
	#hasReceivers(topic: string): boolean {
		for (const socketId of this.#registry.members(topic)) {
			if (this.#registry.get(socketId)?.isSubscribed(topic) === true) return true;
		}
		return false;
	}

	/** Bun answers with its worst outcome for any of the sockets: 0 is a message dropped, or nobody there, and -1 one queued. */
	#heldUp(topic: string, payload: Payload, sent: number, receivers: number): void {
		if (receivers === 0) return;
		if (sent === 0) this.#drops.add(inTopic(topic));
		this.#slow.heldUp(size(payload), sent === 0);
	}

	/** Returns false when Bun dropped the message: its buffer is over the limit, or the socket is gone. */
	toSocket(socket: WebSocketConnection, payload: Payload): boolean {
		const sent = socket.send(payload as string | Bun.BufferSource);
		if (sent > 0) return true;
		if (!isEmpty(payload)) this.#slow.look(socket);
		// 0 bytes is also the good answer to an empty message.
		return sent !== 0 || (isEmpty(payload) && socket.readyState === WebSocket.OPEN);
	}

	/** As {@link toSocket}, for a socket that may have left: then returns undefined. */
	toSocketId(socketId: string, payload: Payload): boolean | undefined {
		const socket = this.#registry.get(socketId);
		return socket === undefined ? undefined : this.toSocket(socket, payload);
	}

	/** Sends to every socket. What Bun drops is said in the log. */
	toAll(payload: Payload): void {
		for (const socket of this.#registry.sockets()) {
			if (!this.toSocket(socket, payload)) this.#drops.add('a broadcast');
		}
	}

	/**
	 * Bun's own methods, also where an application has put its own in front of them on its sockets: those lead here, so calling
	 * them would go round in circles.
	 */
	#bunMethods(socket: WebSocketConnection): BunMethods {
		if (this.#bun === undefined) {
			let last: object = socket;
			for (
				let next: object | null = last;
				next !== null && next !== Object.prototype;
				next = Object.getPrototypeOf(next)
			) {
				last = next;
			}
			this.#bun = last as WebSocketConnection;
		}
		return this.#bun;
	}
}

function inTopic(topic: string): string {
	return `a message to topic ${topic}`;
}

function isEmpty(payload: Payload): boolean {
	return (typeof payload === 'string' ? payload.length : payload.byteLength) === 0;
}
