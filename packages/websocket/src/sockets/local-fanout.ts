import { isSpeaker, type WebSocketConnection } from './websocket-connection.ts';
import type { Logger } from '../logger.ts';
import { checkCompressFrom, compressingMethods, compressingServer } from './compression.ts';
import { type Payload, size } from '../wire/payload.ts';
import { plainOf, toSpeaker } from '../wire/payload-forms.ts';
import type { FanoutSockets } from './fanout-sockets.ts';
import { type NativeMethods, nativeMethods } from './native-methods.ts';
import type { PubSubServer, ServerOptions } from './pub-sub-server.ts';
import { type LogKind, type LogThrottle, throttleOf } from '../support/log-throttle.ts';
import { SlowReaders } from './slow-readers.ts';
import { claimPrefix } from './server-names.ts';
import { spokenNameOf } from './topic-members.ts';

const DROP_ADVICE =
	'a client reads too slowly and its buffer is over backpressureLimit. Set closeOnBackpressureLimit to have Bun close ' +
	'such a client instead';
const DROPS: LogKind = { key: 'drops', summary: `Bun dropped messages: ${DROP_ADVICE}` };

/** Delivers messages to the sockets of this process. No other class uses Bun's pub/sub. */
export class LocalFanout {
	readonly #registry: FanoutSockets;
	readonly #logger: Logger;
	readonly #isFurther: boolean;
	readonly #throttle: LogThrottle;
	readonly #slowReaders: SlowReaders;
	/** As passed to `setServer`. */
	#given: PubSubServer | undefined;
	#server: PubSubServer | undefined;
	/** Whether only this provider subscribes sockets to its names in Bun. */
	#subscribesAlone = false;
	/** The prefix of all names in Bun; see {@link claimPrefix}. */
	#prefix = '';
	#compressFrom: number | undefined;
	#addressOf: ServerOptions['addressOf'];
	#native: NativeMethods | undefined;
	/** See {@link beforeTopics}. */
	#before: (() => void) | undefined;

	/** @param isFurther whether the provider has another fan-out, which logs what concerns both */
	constructor(registry: FanoutSockets, logger: Logger, isFurther: boolean = false) {
		this.#isFurther = isFurther;
		this.#registry = registry;
		this.#logger = logger;
		this.#throttle = throttleOf(logger);
		this.#slowReaders = new SlowReaders(() => registry.sockets(), logger);
	}

	/** @throws {InvalidOptionError} */
	setServer(server: PubSubServer, options: ServerOptions): void {
		checkCompressFrom(options.compressFromBytes);
		this.#slowReaders.configure(options);
		if (this.#given !== undefined && this.#given !== server && !this.#isFurther) {
			this.#logger.warn(
				'setServer was called with another server: sockets of the first one no longer receive published messages. ' +
					'Give each server its own provider',
			);
		}
		if (this.#given !== server) this.#rename(claimPrefix(server));
		this.#given = server;
		this.#subscribesAlone = this.#prefix !== '' || options.subscribesAlone === true;
		const from = options.compressFromBytes;
		this.#server = from === undefined ? server : compressingServer(server, from);
		this.#compressFrom = from;
		this.#addressOf = options.addressOf;
		this.#native = undefined;
	}

	/** Returns a client's address; `unix` if it is connected by a Unix socket, and has none. */
	addressOf(socket: WebSocketConnection): string {
		return this.#addressOf?.(socket) ?? socket.remoteAddress ?? 'unix';
	}

	/** Gives all topics other names in Bun, and subscribes their sockets under them. */
	#rename(prefix: string): void {
		if (this.#prefix === prefix) return;
		const subscribed: (readonly [socket: WebSocketConnection, topic: string])[] = [];
		for (const topic of this.#registry.topics()) {
			for (const socket of this.#registry.members(topic)) {
				if (!this.#isSubscribed(socket, topic)) continue;
				this.unsubscribe(socket, topic);
				subscribed.push([socket, topic]);
			}
		}
		this.#prefix = prefix;
		this.#registry.rename(prefix);
		for (const [socket, topic] of subscribed) this.subscribe(socket, topic);
	}

	/** A topic's name in Bun for this kind of socket, so that each kind receives its own form of a message. */
	#nameFor(socket: WebSocketConnection, topic: string): string {
		return isSpeaker(socket) ? spokenNameOf(this.#prefix, topic) : this.#plainName(topic);
	}

	/** A topic's name in Bun for plain sockets. */
	#plainName(topic: string): string {
		return this.#prefix === '' ? topic : this.#prefix + topic;
	}

	/** Subscribes a socket in Bun. Returns false if the socket is already closed. */
	subscribe(socket: WebSocketConnection, topic: string): boolean {
		return this.#nativeMethods(socket).subscribe.call(socket, this.#nameFor(socket, topic));
	}

	unsubscribe(socket: WebSocketConnection, topic: string): void {
		this.#nativeMethods(socket).unsubscribe.call(socket, this.#nameFor(socket, topic));
	}

	#isSubscribed(socket: WebSocketConnection, topic: string): boolean {
		return this.#nativeMethods(socket).isSubscribed.call(socket, this.#nameFor(socket, topic));
	}

	// Sending to a topic. Without a server, messages are sent socket by socket. Messages that Bun drops are logged.

	/** Calls `run` once, before anything is sent to a topic. */
	beforeTopics(run: () => void): void {
		this.#before = run;
	}

	#runBefore(): void {
		const run = this.#before;
		this.#before = undefined;
		run?.();
	}

	/**
	 * Sends to every socket in `topic`, and to those that the application has subscribed to it in Bun itself.
	 *
	 * @param isEnvelope whether the payload is an encoded envelope, which all sockets receive as it is
	 */
	toTopic(topic: string, payload: Payload, isEnvelope = false): void {
		if (this.#before !== undefined) this.#runBefore();
		const { hasPlain, spokenName } = this.#registry.names(topic);
		const spoken = spokenName === undefined || isEnvelope ? payload : toSpeaker(payload);
		if (this.#server === undefined) return this.#sendEach(topic, payload, spoken);
		const toPlain = hasPlain || this.#isInUse(topic) ? this.#publish(this.#plainName(topic), payload) : SENT;
		const toSpeakers = spokenName === undefined ? SENT : this.#publish(spokenName, spoken);
		if (toPlain <= 0) this.#noteBackpressure(topic, false, payload, toPlain);
		if (toSpeakers <= 0) this.#noteBackpressure(topic, true, spoken, toSpeakers);
	}

	/** Sends a stored message to every socket in `topic`. @param frame as returned by `frameOf` */
	storedToTopic(topic: string, frame: string | Uint8Array): void {
		if (this.#before !== undefined) this.#runBefore();
		const { hasPlain, spokenName } = this.#registry.names(topic);
		const plain = hasPlain ? plainOf(frame) : frame;
		if (this.#server === undefined) return this.#sendEach(topic, plain, frame);
		const toSpeakers = spokenName === undefined ? SENT : this.#publish(spokenName, frame);
		const toPlain = hasPlain ? this.#publish(this.#plainName(topic), plain) : SENT;
		if (toSpeakers <= 0) this.#noteBackpressure(topic, true, frame, toSpeakers);
		if (toPlain <= 0) this.#noteBackpressure(topic, false, plain, toPlain);
	}

	/** Sends a frame of the protocol to the sockets in `topic` whose clients speak it. */
	toSpeakers(topic: string, frame: string): void {
		if (this.#before !== undefined) this.#runBefore();
		const { spokenName } = this.#registry.names(topic);
		if (spokenName === undefined) return;
		if (this.#server === undefined) return this.#sendEach(topic, undefined, frame);
		const sent = this.#publish(spokenName, frame);
		if (sent <= 0) this.#noteBackpressure(topic, true, frame, sent);
	}

	/**
	 * Like {@link toTopic}, but leaves out the sockets with these ids. In Bun, they are unsubscribed for the duration of
	 * the call, which costs less than sending to the rest one by one, and they keep what Bun has queued for them. Bun's
	 * own way to leave out a sender depends on the server's `publishToSelf`. Nothing of the application's may run before
	 * they are subscribed again: what it published would not reach them.
	 */
	toTopicExcept(topic: string, payload: Payload, except: string | readonly string[], isEnvelope = false): void {
		if (this.#before !== undefined) this.#runBefore();
		const { hasPlain, spokenName } = this.#registry.names(topic);
		const spoken = spokenName === undefined || isEnvelope ? payload : toSpeaker(payload);
		if (this.#server === undefined) return this.#sendEach(topic, payload, spoken, except);
		const leftOut: WebSocketConnection[] = [];
		let toPlain = SENT;
		let toSpeakers = SENT;
		try {
			if (typeof except === 'string') this.#leaveOut(except, topic, spokenName, leftOut);
			else for (const socketId of except) this.#leaveOut(socketId, topic, spokenName, leftOut);
			if (hasPlain || this.#isInUse(topic)) toPlain = this.#publish(this.#plainName(topic), payload);
			if (spokenName !== undefined) toSpeakers = this.#publish(spokenName, spoken);
		} finally {
			for (const socket of leftOut) {
				const name = isSpeaker(socket) ? (spokenName as string) : this.#plainName(topic);
				this.#nativeMethods(socket).subscribe.call(socket, name);
			}
		}
		if (toPlain <= 0) this.#noteBackpressure(topic, false, payload, toPlain, leftOut);
		if (toSpeakers <= 0) this.#noteBackpressure(topic, true, spoken, toSpeakers, leftOut);
	}

	/** Unsubscribes a socket for now, and adds it to the list if it was subscribed. */
	#leaveOut(socketId: string, topic: string, spokenName: string | undefined, leftOut: WebSocketConnection[]): void {
		const socket = this.#registry.get(socketId);
		if (socket === undefined) return;
		const name = isSpeaker(socket) ? spokenName : this.#plainName(topic);
		if (name === undefined) return;
		// Returns whether the socket was subscribed. Asking Bun first would double the cost.
		const wasSubscribed: unknown = this.#nativeMethods(socket).unsubscribe.call(socket, name);
		if (wasSubscribed === true) leftOut.push(socket);
	}

	/** Returns whether the application may have subscribed sockets to this name in Bun itself. */
	#isInUse(name: string): boolean {
		return !this.#subscribesAlone && this.#server?.subscriberCount?.(name) !== 0;
	}

	/** Publishes under a name in Bun. Returns Bun's result. */
	#publish(name: string, payload: Payload): number {
		const sent = (this.#server as PubSubServer).publish(name, payload as string | Bun.BufferSource);
		return sent <= 0 && isEmpty(payload) ? SENT : sent;
	}

	/** @param plain the form for plain sockets; undefined: they receive nothing */
	#sendEach(
		topic: string,
		plain: Payload | undefined,
		spoken: Payload,
		except: string | readonly string[] = NO_IDS,
	): void {
		for (const socket of this.#registry.members(topic)) {
			const { socketId } = socket.data;
			if (typeof except === 'string' ? socketId === except : except.includes(socketId)) continue;
			const form = isSpeaker(socket) ? spoken : plain;
			if (form === undefined || !this.#isSubscribed(socket, topic)) continue;
			if (!this.toSocket(socket, form, true)) this.#noteDrop(inTopic(topic));
		}
	}

	/**
	 * Returns whether any socket of this kind, apart from those left out, is subscribed to the topic in Bun. Sockets
	 * that are catching up are members of the topic, but are not subscribed in Bun yet.
	 */
	#hasReceivers(topic: string, areSpeakers: boolean, leftOut: readonly WebSocketConnection[]): boolean {
		const count = this.#server?.subscriberCount?.(
			areSpeakers ? spokenNameOf(this.#prefix, topic) : this.#plainName(topic),
		);
		if (count !== undefined) {
			let others = count;
			for (const socket of leftOut) if (isSpeaker(socket) === areSpeakers) others--;
			return others > 0;
		}
		for (const socket of this.#registry.members(topic)) {
			if (isSpeaker(socket) === areSpeakers && !leftOut.includes(socket) && this.#isSubscribed(socket, topic))
				return true;
		}
		return false;
	}

	/**
	 * Handles the result of a publish. Bun returns 0 if it dropped the message for a socket, or if there is no receiver.
	 * Otherwise, it returns -1 if it queued the message for a socket.
	 */
	#noteBackpressure(
		topic: string,
		isToSpeakers: boolean,
		payload: Payload,
		sent: number,
		leftOut: readonly WebSocketConnection[] = NONE,
	): void {
		if (!this.#hasReceivers(topic, isToSpeakers, leftOut)) return;
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

	/**
	 * Sends a last frame to a socket that is closed right afterwards. It is not checked for reading too slowly, which
	 * could close it with another code.
	 */
	lastToSocket(socket: WebSocketConnection, frame: string): void {
		this.#nativeMethods(socket).send.call(socket, frame);
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
		const spoken = isEnvelope ? payload : toSpeaker(payload);
		const isSame = spoken === payload;
		for (const socket of this.#registry.sockets()) {
			if (!this.toSocket(socket, isSame || !isSpeaker(socket) ? payload : spoken, true)) this.#noteDrop('a broadcast');
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
const NO_IDS: readonly string[] = [];
/** Any positive result of Bun's `publish`: each receiver has taken the message at once. */
const SENT = 1;

function inTopic(topic: string): string {
	return `a message to topic ${topic}`;
}

function isEmpty(payload: Payload): boolean {
	return (typeof payload === 'string' ? payload.length : payload.byteLength) === 0;
}
