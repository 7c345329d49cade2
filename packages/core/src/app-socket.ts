import { InvalidPayloadError } from '@orijs/websocket';
import type { Payload, SocketData, SubscribeOptions, UnsubscribeOptions, WebSocketConnection } from '@orijs/websocket';
import { isPayload, isSpeaker } from '@orijs/websocket/internal';
import type { ServerWebSocket } from 'bun';
import { compressingSends } from './compression.ts';
import type { ConnectionData } from './connection-data.ts';
import { subscribeOwnSocket, type SubscribingServices } from './session/subscribe-own-socket.ts';
import { unsubscribeOwnSocket } from './session/unsubscribe-own-socket.ts';
import { speakerForm } from './speaker-form.ts';

/** Sends a frame of the protocol as it is. For core itself: an application has no access to it. */
export const SEND_FRAME: unique symbol = Symbol('sendFrame');

/** What core itself uses of its sockets besides their public methods. */
export interface FrameSender {
	[SEND_FRAME](frame: string): number;
}

/** What an application can choose about a subscription. */
export type TopicSubscribeOptions = Pick<SubscribeOptions, 'past'>;

/** What a client can be told about the end of a subscription. */
export type TopicUnsubscribeOptions = Pick<UnsubscribeOptions, 'code' | 'message'>;

/** Pub/sub methods that reach all nodes; Bun's own methods of the same names reach only this server. */
interface EverywhereMethods {
	/**
	 * Subscribes the socket to a topic. Resolves once messages published on any node reach the socket; a client that
	 * speaks the protocol is told then.
	 *
	 * @param options `past: false` keeps the client from messages that were published before, on topics with history
	 * @throws {TooManyTopicsError} the socket has reached `limits.topicsPerSocket`
	 * @throws {InvalidTopicError} {InvalidOptionError} {UnknownSocketError} {SubscribeError} {ProviderStoppedError}
	 */
	subscribe(topic: string, options?: TopicSubscribeOptions): Promise<void>;
	/**
	 * Unsubscribes the socket from a topic. Does nothing if the socket has closed.
	 *
	 * @param options what a client that speaks the protocol is told: `code`, default `unsubscribed`, and `message`
	 * @throws {InvalidTopicError} {InvalidOptionError}
	 */
	unsubscribe(topic: string, options?: TopicUnsubscribeOptions): Promise<void>;
	/**
	 * Sends to all subscribers of the topic, on every node, except this socket. On a topic with history, this socket
	 * receives the message too, because all subscribers get the same sequence.
	 */
	publish(topic: string, payload: Payload): Promise<void>;
	/** Like {@link publish}, but accepts only text. */
	publishText(topic: string, text: string): Promise<void>;
	/** Like {@link publish}, but accepts only bytes. */
	publishBinary(topic: string, bytes: Exclude<Payload, string>): Promise<void>;
}

/**
 * The socket passed to handlers: Bun's own, except that its pub/sub reaches every node. Once the application closes it,
 * messages from its client that are still queued are dropped.
 */
export type AppSocket<TData extends ConnectionData = ConnectionData> = Omit<
	ServerWebSocket<SocketData<TData>>,
	keyof EverywhereMethods | 'cork' | 'data'
> &
	EverywhereMethods & {
		/** Read-only: store your own data in `data.data`. */
		readonly data: SocketData<TData>;
		/** The subprotocol that the endpoint has confirmed; undefined if none. See the option `subprotocol`. */
		readonly subprotocol: string | undefined;
		cork<TResult>(callback: (ws: AppSocket<TData>) => TResult): TResult;
	};

/** Bun's methods whose calls the endpoint observes or adapts. */
type Observed = Pick<
	WebSocketConnection,
	'close' | 'terminate' | 'ping' | 'send' | 'sendText' | 'sendBinary' | 'isSubscribed'
> &
	FrameSender;

/** The endpoint, as its sockets use it. */
export interface SocketEvents {
	/** Called before the socket is closed by this server. */
	readonly onClosing: (socket: WebSocketConnection) => void;
	/** Called when the application has closed the socket. */
	readonly onClose: (socket: WebSocketConnection) => void;
	/** Called when the application has pinged the client. */
	readonly onPing: (socket: WebSocketConnection) => void;
	/** Called when the application has subscribed the socket. @param done resolves when that is confirmed */
	readonly onSubscribe: (socket: WebSocketConnection, topic: string, done: Promise<void>) => void;
	/** Called when a send was buffered because of backpressure, or dropped. */
	readonly onBackpressure: (socket: WebSocketConnection) => void;
}

/**
 * Turns Bun's sockets into {@link AppSocket}s. One shared prototype with the additional methods is inserted between
 * each socket and Bun's prototype. Everything else remains Bun's own, at no cost per message.
 */
export class SocketAdopter {
	readonly #methods: EverywhereMethods & ThisType<WebSocketConnection>;
	readonly #events: SocketEvents;
	readonly #compressFrom: number | undefined;
	#prototype: object | undefined;

	/** @param compressFrom the smallest message that is compressed, in bytes; undefined if none is */
	constructor(services: SubscribingServices, compressFrom: number | undefined, events: SocketEvents) {
		const { provider } = services;
		this.#events = events;
		this.#compressFrom = compressFrom;
		this.#methods = {
			subscribe(topic, options) {
				const done = subscribeOwnSocket(services, this.data, topic, options);
				events.onSubscribe(this, topic, done);
				return done;
			},
			unsubscribe(topic, options) {
				return unsubscribeOwnSocket(provider, this.data.socketId, topic, options);
			},
			publish(topic, payload) {
				return provider.publishFrom(this.data.socketId, topic, payload);
			},
			publishText(topic, text) {
				return provider.publishFrom(this.data.socketId, topic, text);
			},
			publishBinary(topic, bytes) {
				return provider.publishFrom(this.data.socketId, topic, bytes);
			},
		};
	}

	adopt(socket: WebSocketConnection): AppSocket {
		this.#prototype ??= this.#prototypeAbove(Object.getPrototypeOf(socket) as WebSocketConnection);
		return Object.setPrototypeOf(socket, this.#prototype) as AppSocket;
	}

	#prototypeAbove(bun: WebSocketConnection): object {
		const { onClosing, onClose, onPing, onBackpressure } = this.#events;
		const { close, terminate, ping } = bun;
		const { send, sendText, sendBinary } =
			this.#compressFrom === undefined ? bun : compressingSends(bun, this.#compressFrom);
		const observed: Observed & ThisType<WebSocketConnection> = {
			close(code, reason) {
				onClosing(this);
				// `onClose` comes second: if the arguments are invalid, Bun's `close` throws and the socket stays open.
				close.call(this, code, reason);
				onClose(this);
			},
			terminate() {
				terminate.call(this);
				onClose(this);
			},
			ping(data) {
				const sent = ping.call(this, data);
				onPing(this);
				return sent;
			},
			send(data, compress) {
				const sent = send.call(this, formOf(this, data), compress);
				if (sent <= 0) onBackpressure(this);
				return sent;
			},
			sendText(data, compress) {
				const sent = sendText.call(this, formOf(this, data), compress);
				if (sent <= 0) onBackpressure(this);
				return sent;
			},
			sendBinary(data, compress) {
				const sent = sendBinary.call(this, formOf(this, data), compress);
				if (sent <= 0) onBackpressure(this);
				return sent;
			},
			[SEND_FRAME](frame) {
				const sent = send.call(this, frame);
				if (sent <= 0) onBackpressure(this);
				return sent;
			},
			// In Bun, topics have names of their own for clients that speak the protocol.
			isSubscribed(topic) {
				return this.readyState === WebSocket.OPEN && this.data.topics.has(topic);
			},
		};
		const prototype = Object.assign(Object.create(bun) as object, this.#methods, observed);
		Object.defineProperties(prototype, {
			subprotocol: {
				get(this: WebSocketConnection) {
					return this.data.subprotocol;
				},
			},
			subscriptions: {
				get(this: WebSocketConnection) {
					return this.readyState === WebSocket.OPEN ? [...this.data.topics] : [];
				},
			},
		});
		// `data` identifies the session, so it must not be replaced. Reading it remains fast, because Bun's own getter is
		// kept.
		return Object.defineProperty(prototype, 'data', {
			...Object.getOwnPropertyDescriptor(bun, 'data'),
			set: refuseData,
		});
	}
}

/** Returns the form in which the socket's client receives what the application sends. @throws {InvalidPayloadError} */
function formOf<TData>(socket: WebSocketConnection, data: TData): TData {
	if (isSpeaker(socket)) return speakerForm(data);
	// Bun would send an empty message.
	if ((data instanceof ArrayBuffer || ArrayBuffer.isView(data)) && !isPayload(data))
		throw new InvalidPayloadError(data);
	return data;
}

function refuseData(): never {
	throw new TypeError('ws.data cannot be replaced: store your own data in ws.data.data');
}
