import { isSpeaker, type WebSocketConnection } from './websocket-connection.ts';
import type { Logger } from '../logger.ts';
import { checkCompressFrom, compressingMethods, compressingServer } from './compression.ts';
import { type Payload, size } from '../wire/payload.ts';
import { framed, isMistakable, plainOf, toSpeaker } from '../wire/payload-forms.ts';
import { type NativeMethods, nativeMethods } from './native-methods.ts';
import type { PubSubServer, ServerOptions } from './pub-sub-server.ts';
import type { Registry } from './registry.ts';
import { type LogKind, type LogThrottle, throttleOf } from '../support/log-throttle.ts';
import { SlowReaders } from './slow-readers.ts';

const DROP_ADVICE =
	'a client reads too slowly and its buffer is over backpressureLimit. Set closeOnBackpressureLimit to have Bun close ' +
	'such a client instead';
const DROPS: LogKind = { key: 'drops', summary: `Bun dropped messages: ${DROP_ADVICE}` };

/** Delivers messages to the sockets of this process. No other class uses Bun's pub/sub. */
export class LocalFanout {
	readonly #registry: Registry<WebSocketConnection>;
	readonly #logger: Logger;
	readonly #throttle: LogThrottle;
	readonly #slowReaders: SlowReaders;
	/** As passed to `setServer`. */
	#given: PubSubServer | undefined;
	#server: PubSubServer | undefined;
	#compressFrom: number | undefined;
	#native: NativeMethods | undefined;

	constructor(registry: Registry<WebSocketConnection>, logger: Logger) {
		this.#registry = registry;
		this.#logger = logger;
		this.#throttle = throttleOf(logger);
		this.#slowReaders = new SlowReaders(() => registry.sockets(), logger);
	}

	/** @throws {InvalidOptionError} */
	setServer(server: PubSubServer, options: ServerOptions): void {
		checkCompressFrom(options.compressFromBytes);
		this.#slowReaders.configure(options);
		if (this.#given !== undefined && this.#given !== server) {
			this.#logger.warn(
				'setServer was called with another server: sockets of the first one no longer receive published messages. ' +
					'Give each server its own provider',
			);
		}
		this.#given = server;
		const from = options.compressFromBytes;
		this.#server = from === undefined ? server : compressingServer(server, from);
		this.#compressFrom = from;
		this.#native = undefined;
	}

	/** Subscribes a socket in Bun. Returns false if the socket is already closed. */
	subscribe(socket: WebSocketConnection, topic: string): boolean {
		return this.#nativeMethods(socket).subscribe.call(socket, nameOf(topic, isSpeaker(socket)));
	}

	unsubscribe(socket: WebSocketConnection, topic: string): void {
		this.#nativeMethods(socket).unsubscribe.call(socket, nameOf(topic, isSpeaker(socket)));
	}

	// Sending to a topic. Without a server, messages are sent socket by socket. Messages that Bun drops are logged.

	/**
	 * Sends to every socket in `topic`.
	 *
	 * @param isEnvelope whether the payload is an encoded envelope, which all sockets receive as it is
	 */
	toTopic(topic: string, payload: Payload, isEnvelope = false): void {
		if (this.#hasPlain) this.#publish(topic, false, payload);
		if (!this.#hasSpeakers) return;
		if (isEnvelope || !isMistakable(payload)) this.#publish(topic, true, payload);
		else if (this.#hasReceivers(topic, true)) this.#publish(topic, true, framed(payload));
	}

	/** Sends a stored message to every socket in `topic`. @param frame as returned by `frameOf` */
	storedToTopic(topic: string, frame: string | Uint8Array): void {
		if (this.#hasSpeakers) this.#publish(topic, true, frame);
		if (this.#hasPlain && this.#hasReceivers(topic, false)) this.#publish(topic, false, plainOf(frame));
	}

	/** Sends a frame of the protocol to the sockets in `topic` whose clients speak it. */
	toSpeakers(topic: string, frame: string): void {
		if (this.#hasSpeakers) this.#publish(topic, true, frame);
	}

	/**
	 * Sends to every socket in `topic` except those with these ids.
	 *
	 * @param isEnvelope as for {@link toTopic}
	 */
	toTopicExcept(topic: string, payload: Payload, except: string | readonly string[], isEnvelope = false): void {
		if (typeof except === 'string') {
			const socket = this.#registry.get(except);
			if (socket === undefined) this.toTopic(topic, payload, isEnvelope);
			else this.#toOthers(socket, NONE, topic, payload, isEnvelope);
			return;
		}
		const [first, ...rest] = this.#subscribersAmong(topic, except);
		if (first === undefined) this.toTopic(topic, payload, isEnvelope);
		else this.#toOthers(first, rest, topic, payload, isEnvelope);
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
		isEnvelope: boolean,
	): void {
		let [toPlain, toSpeakers] = [1, 1];
		let spoken = payload;
		for (const socket of others) this.unsubscribe(socket, topic);
		try {
			if (this.#hasPlain) toPlain = this.#publishFrom(sender, topic, false, payload);
			if (this.#hasSpeakers && (isEnvelope || !isMistakable(payload))) {
				toSpeakers = this.#publishFrom(sender, topic, true, payload);
			} else if (this.#hasSpeakers && this.#hasReceivers(topic, true, sender)) {
				spoken = framed(payload);
				toSpeakers = this.#publishFrom(sender, topic, true, spoken);
			}
		} finally {
			for (const socket of others) this.subscribe(socket, topic);
		}
		if (toPlain <= 0) this.#noteOthers(sender, others, topic, false, payload, toPlain);
		if (toSpeakers <= 0) this.#noteOthers(sender, others, topic, true, spoken, toSpeakers);
	}

	#subscribersAmong(topic: string, socketIds: readonly string[]): WebSocketConnection[] {
		const sockets: WebSocketConnection[] = [];
		for (const socketId of socketIds) {
			const socket = this.#registry.get(socketId);
			if (socket === undefined || sockets.includes(socket)) continue;
			if (this.#isSubscribed(socket, topic, isSpeaker(socket))) sockets.push(socket);
		}
		return sockets;
	}

	/** Also true without sockets: those that the application has subscribed in Bun, on its own, are plain. */
	get #hasPlain(): boolean {
		const { speakerCount, socketCount } = this.#registry;
		return speakerCount === 0 || speakerCount < socketCount;
	}

	get #hasSpeakers(): boolean {
		return this.#registry.speakerCount > 0;
	}

	/** Sends to the sockets of one kind in `topic`. */
	#publish(topic: string, isToSpeakers: boolean, payload: Payload): void {
		if (this.#server === undefined) return this.#sendEach(topic, isToSpeakers, payload);
		const sent = this.#server.publish(nameOf(topic, isToSpeakers), payload as string | Bun.BufferSource);
		if (sent <= 0 && !isEmpty(payload))
			this.#noteBackpressure(topic, payload, sent, this.#hasReceivers(topic, isToSpeakers));
	}

	/** Sends to the sockets of one kind in `topic`, except this one. Returns Bun's result. */
	#publishFrom(socket: WebSocketConnection, topic: string, isToSpeakers: boolean, payload: Payload): number {
		const name = nameOf(topic, isToSpeakers);
		return this.#nativeMethods(socket).publish.call(socket, name, payload as string | Bun.BufferSource);
	}

	/** Handles the result of {@link #publishFrom}, once the other sockets that were left out are subscribed again. */
	#noteOthers(
		sender: WebSocketConnection,
		others: readonly WebSocketConnection[],
		topic: string,
		areSpeakers: boolean,
		payload: Payload,
		sent: number,
	): void {
		if (isEmpty(payload)) return;
		for (const socket of this.#receivers(topic, areSpeakers)) {
			if (socket !== sender && !others.includes(socket)) return this.#noteBackpressure(topic, payload, sent, true);
		}
	}

	#sendEach(topic: string, isToSpeakers: boolean, payload: Payload): void {
		for (const socket of this.#receivers(topic, isToSpeakers)) {
			if (!this.toSocket(socket, payload, true)) this.#noteDrop(inTopic(topic));
		}
	}

	/** Returns whether any socket of this kind, apart from `except`, is subscribed to the topic in Bun. */
	#hasReceivers(topic: string, areSpeakers: boolean, except?: WebSocketConnection): boolean {
		const count = this.#server?.subscriberCount?.(nameOf(topic, areSpeakers));
		if (count !== undefined && count < 2) {
			return count === 1 && (except === undefined || !this.#isSubscribed(except, topic, areSpeakers));
		}
		if (count !== undefined) return true;
		for (const socket of this.#receivers(topic, areSpeakers)) if (socket !== except) return true;
		return false;
	}

	/**
	 * Yields the sockets of one kind that are subscribed to the topic in Bun. Those that are catching up are members of
	 * the topic, but are not subscribed in Bun yet.
	 */
	*#receivers(topic: string, areSpeakers: boolean): Generator<WebSocketConnection> {
		for (const socketId of this.#registry.members(topic)) {
			const socket = this.#registry.get(socketId);
			if (socket !== undefined && this.#isSubscribed(socket, topic, areSpeakers)) yield socket;
		}
	}

	#isSubscribed(socket: WebSocketConnection, topic: string, isToSpeakers: boolean): boolean {
		return this.#nativeMethods(socket).isSubscribed.call(socket, nameOf(topic, isToSpeakers));
	}

	/**
	 * Handles the result of a publish. Bun returns 0 if it dropped the message for a socket, or if there is no receiver.
	 * Otherwise, it returns -1 if it queued the message for a socket.
	 */
	#noteBackpressure(topic: string, payload: Payload, sent: number, hasReceivers: boolean): void {
		if (!hasReceivers) return;
		if (sent === 0) this.#noteDrop(inTopic(topic));
		this.#slowReaders.noteBackpressure(size(payload), sent === 0);
	}

	/** @param what a description of the dropped message, such as `a message to topic chat:1` */
	#noteDrop(what: string): void {
		this.#throttle.add('warn', DROPS, `Bun dropped ${what}: ${DROP_ADVICE}`, {});
	}

	/**
	 * Sends to a socket. Returns false if Bun dropped the message: the buffer is full, or the socket is closed.
	 *
	 * @param isFrame whether the socket receives the payload as it is, because it is an envelope or another frame
	 */
	toSocket(socket: WebSocketConnection, payload: Payload, isFrame = false): boolean {
		const form = isFrame || !isSpeaker(socket) ? payload : toSpeaker(payload);
		const sent = this.#nativeMethods(socket).send.call(socket, form as string | Bun.BufferSource);
		if (sent > 0) return true;
		if (!isEmpty(form)) this.#slowReaders.check(socket);
		// For an empty message, Bun returns 0 even if it sent it.
		return sent !== 0 || (isEmpty(form) && socket.readyState === WebSocket.OPEN);
	}

	/** Like {@link toSocket}, but returns undefined if the socket is not on this node. */
	toSocketId(socketId: string, payload: Payload, isFrame = false): boolean | undefined {
		const socket = this.#registry.get(socketId);
		return socket === undefined ? undefined : this.toSocket(socket, payload, isFrame);
	}

	/**
	 * Sends to every socket. Messages that Bun drops are logged.
	 *
	 * @param isEnvelope whether the payload is an encoded envelope, which all sockets receive as it is
	 */
	toAll(payload: Payload, isEnvelope = false): void {
		const spoken = isEnvelope || !this.#hasSpeakers ? payload : toSpeaker(payload);
		for (const socket of this.#registry.sockets()) {
			if (!this.toSocket(socket, isSpeaker(socket) ? spoken : payload, true)) this.#noteDrop('a broadcast');
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
		return (this.#native ??= this.#sendingMethods(nativeMethods(socket)));
	}

	#sendingMethods(native: NativeMethods): NativeMethods {
		return this.#compressFrom === undefined ? native : compressingMethods(native, this.#compressFrom);
	}
}

const NONE: readonly WebSocketConnection[] = [];
/**
 * The name of a topic in Bun. Each kind of socket has its own, so that each receives its own form of a message. No
 * topic can begin with the prefix. What an application publishes in Bun itself reaches plain sockets only.
 */
function nameOf(topic: string, isToSpeakers: boolean): string {
	return isToSpeakers ? `@${topic}` : topic;
}

function inTopic(topic: string): string {
	return `a message to topic ${topic}`;
}

function isEmpty(payload: Payload): boolean {
	return (typeof payload === 'string' ? payload.length : payload.byteLength) === 0;
}
