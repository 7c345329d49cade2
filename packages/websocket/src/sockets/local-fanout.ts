import type { WebSocketConnection } from './websocket-connection.ts';
import type { Logger } from '../logger.ts';
import { type Payload, size } from '../wire/payload.ts';
import { type NativeMethods, nativeMethods } from './native-methods.ts';
import type { Registry } from './registry.ts';
import { type LogKind, type LogThrottle, throttleOf } from '../support/log-throttle.ts';
import { type SlowReaderOptions, SlowReaders } from './slow-readers.ts';

const DROP_ADVICE =
	'a client reads too slowly and its buffer is over backpressureLimit. Set closeOnBackpressureLimit to have Bun close ' +
	'such a client instead';
const DROPS: LogKind = { key: 'drops', summary: `Bun dropped messages: ${DROP_ADVICE}` };

/** The part of Bun's server that fan-out needs. */
export interface PubSubServer {
	publish(topic: string, data: string | Bun.BufferSource): number;
}

/** Delivers messages to the sockets of this process. No other class uses Bun's pub/sub. */
export class LocalFanout {
	readonly #registry: Registry<WebSocketConnection>;
	readonly #logger: Logger;
	readonly #throttle: LogThrottle;
	readonly #slowReaders: SlowReaders;
	#server: PubSubServer | undefined;
	#native: NativeMethods | undefined;

	constructor(registry: Registry<WebSocketConnection>, logger: Logger) {
		this.#registry = registry;
		this.#logger = logger;
		this.#throttle = throttleOf(logger);
		this.#slowReaders = new SlowReaders(() => registry.sockets(), logger);
	}

	/** @throws {InvalidOptionError} */
	setServer(server: PubSubServer, options: SlowReaderOptions): void {
		this.#slowReaders.configure(options);
		if (this.#server !== undefined && this.#server !== server) {
			this.#logger.warn(
				'setServer was called with another server: sockets of the first one no longer receive published messages. ' +
					'Give each server its own provider',
			);
		}
		this.#server = server;
	}

	/** Subscribes a socket in Bun. Returns false if the socket is already closed. */
	subscribe(socket: WebSocketConnection, topic: string): boolean {
		return this.#nativeMethods(socket).subscribe.call(socket, topic);
	}

	unsubscribe(socket: WebSocketConnection, topic: string): void {
		this.#nativeMethods(socket).unsubscribe.call(socket, topic);
	}

	/** Sends to every socket in `topic`, one by one if no server is set. Messages that Bun drops are logged. */
	toTopic(topic: string, payload: Payload): void {
		if (this.#server !== undefined) {
			const sent = this.#server.publish(topic, payload as string | Bun.BufferSource);
			if (sent <= 0 && !isEmpty(payload))
				this.#noteBackpressure(topic, payload, sent, this.#hasReceivers(topic) ? 1 : 0);
			return;
		}
		for (const socketId of this.#registry.members(topic)) {
			// Sockets that are catching up are members of the topic, but must not receive this message yet.
			if (this.#registry.get(socketId)?.isSubscribed(topic) !== true) continue;
			if (this.toSocketId(socketId, payload) === false) this.#noteDrop(inTopic(topic));
		}
	}

	/** Sends to every socket in `topic` except those with these ids. Messages that Bun drops are logged. */
	toTopicExcept(topic: string, payload: Payload, except: string | readonly string[]): void {
		if (typeof except === 'string') {
			const socket = this.#registry.get(except);
			if (socket === undefined) this.toTopic(topic, payload);
			else this.#toOthers(socket, NONE, topic, payload);
			return;
		}
		const [first, ...rest] = this.#subscribersAmong(topic, except);
		if (first === undefined) this.toTopic(topic, payload);
		else this.#toOthers(first, rest, topic, payload);
	}

	/**
	 * Sends to every socket in `topic` except these. Bun skips one socket, the sender, which need not be subscribed. The
	 * others must be: they are unsubscribed for the duration of the call, which costs less than sending to the rest one
	 * by one. They keep the messages that Bun has queued for them. Nothing of the application's may run before they are
	 * subscribed again: what it published would not reach them.
	 */
	#toOthers(
		sender: WebSocketConnection,
		others: readonly WebSocketConnection[],
		topic: string,
		payload: Payload,
	): void {
		for (const socket of others) this.unsubscribe(socket, topic);
		let sent: number;
		try {
			sent = this.#nativeMethods(sender).publish.call(sender, topic, payload as string | Bun.BufferSource);
		} finally {
			for (const socket of others) this.subscribe(socket, topic);
		}
		if (sent > 0 || isEmpty(payload)) return;
		const skipped = others.length + (sender.data.topics.has(topic) ? 1 : 0);
		this.#noteBackpressure(topic, payload, sent, this.#registry.memberCount(topic) - skipped);
	}

	#subscribersAmong(topic: string, socketIds: readonly string[]): WebSocketConnection[] {
		const sockets: WebSocketConnection[] = [];
		for (const socketId of socketIds) {
			const socket = this.#registry.get(socketId);
			if (socket?.isSubscribed(topic) === true && !sockets.includes(socket)) sockets.push(socket);
		}
		return sockets;
	}

	/**
	 * Returns whether any socket is subscribed to the topic in Bun. Sockets that are catching up are members of the
	 * topic, but are not subscribed in Bun yet.
	 */
	#hasReceivers(topic: string): boolean {
		for (const socketId of this.#registry.members(topic)) {
			if (this.#registry.get(socketId)?.isSubscribed(topic) === true) return true;
		}
		return false;
	}

	/**
	 * Handles the result of a publish. Bun returns 0 if it dropped the message for a socket, or if there is no receiver.
	 * Otherwise, it returns -1 if it queued the message for a socket.
	 */
	#noteBackpressure(topic: string, payload: Payload, sent: number, receivers: number): void {
		if (receivers === 0) return;
		if (sent === 0) this.#noteDrop(inTopic(topic));
		this.#slowReaders.noteBackpressure(size(payload), sent === 0);
	}

	/** @param what a description of the dropped message, such as `a message to topic chat:1` */
	#noteDrop(what: string): void {
		this.#throttle.add('warn', DROPS, `Bun dropped ${what}: ${DROP_ADVICE}`, {});
	}

	/** Sends to a socket. Returns false if Bun dropped the message: the buffer is full, or the socket is closed. */
	toSocket(socket: WebSocketConnection, payload: Payload): boolean {
		const sent = socket.send(payload as string | Bun.BufferSource);
		if (sent > 0) return true;
		if (!isEmpty(payload)) this.#slowReaders.check(socket);
		// For an empty message, Bun returns 0 even if it sent it.
		return sent !== 0 || (isEmpty(payload) && socket.readyState === WebSocket.OPEN);
	}

	/** Like {@link toSocket}, but returns undefined if the socket is not on this node. */
	toSocketId(socketId: string, payload: Payload): boolean | undefined {
		const socket = this.#registry.get(socketId);
		return socket === undefined ? undefined : this.toSocket(socket, payload);
	}

	/** Sends to every socket. Messages that Bun drops are logged. */
	toAll(payload: Payload): void {
		for (const socket of this.#registry.sockets()) {
			if (!this.toSocket(socket, payload)) this.#noteDrop('a broadcast');
		}
	}

	/**
	 * Returns whether the socket's queue is short enough for messages that are not urgent; see
	 * {@link SlowReaders.hasRoom}.
	 */
	hasRoom(socket: WebSocketConnection, corked = 0): boolean {
		return this.#slowReaders.hasRoom(socket, corked);
	}

	#nativeMethods(socket: WebSocketConnection): NativeMethods {
		return (this.#native ??= nativeMethods(socket));
	}
}

const NONE: readonly WebSocketConnection[] = [];

function inTopic(topic: string): string {
	return `a message to topic ${topic}`;
}

function isEmpty(payload: Payload): boolean {
	return (typeof payload === 'string' ? payload.length : payload.byteLength) === 0;
}
