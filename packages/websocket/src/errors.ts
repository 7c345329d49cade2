import { BrandedError } from './protocol/branded-error.ts';
import { isNodeChannel, SOCKET_ID_RULE } from './wire/channel-names.ts';
import { show } from './support/show.ts';

/** Thrown if a socket id is not a UUID v4. */
export class InvalidSocketIdError extends BrandedError {
	static override readonly brand: string = 'InvalidSocketIdError';
	declare readonly name: 'InvalidSocketIdError';
	readonly socketId: unknown;
	constructor(socketId: unknown) {
		super(`Invalid socket id ${show(socketId)}: a socket id is ${SOCKET_ID_RULE}`);
		this.socketId = socketId;
	}
}

/** Thrown if a node id is not a UUID v4. Valid ids come from `provider.nodeId`. */
export class InvalidNodeIdError extends BrandedError {
	static override readonly brand: string = 'InvalidNodeIdError';
	declare readonly name: 'InvalidNodeIdError';
	constructor(nodeId: unknown) {
		super(`Invalid node id ${show(nodeId)}: expected the nodeId of a provider, a UUID v4`);
	}
}

/** Thrown if a user's id is not a string of 1 to 256 characters. */
export class InvalidUserIdError extends BrandedError {
	static override readonly brand: string = 'InvalidUserIdError';
	declare readonly name: 'InvalidUserIdError';
	constructor(userId: unknown) {
		super(`Invalid userId ${show(userId)}: a user id is a string of 1 to 256 characters`);
	}
}

/** Thrown if the argument of `addConnection` is not a socket. */
export class InvalidSocketError extends BrandedError {
	static override readonly brand: string = 'InvalidSocketError';
	declare readonly name: 'InvalidSocketError';
	constructor(socket: unknown) {
		super(`Invalid socket ${show(socket)}: pass addConnection the ws that Bun passes to open(ws)`);
	}
}

/** Thrown if the `ws.data` of a socket was not set up by `server.upgrade(req, { data })`. */
export class InvalidSocketDataError extends BrandedError {
	static override readonly brand: string = 'InvalidSocketDataError';
	declare readonly name: 'InvalidSocketDataError';
	constructor(data: unknown) {
		super(
			`Invalid socket data ${show(data)}: upgrade with ` +
				'server.upgrade(req, { data: { socketId: crypto.randomUUID(), data: {}, topics: new Set() } })',
		);
	}
}

/** Thrown if a payload can't be sent. Allowed are strings, ArrayBuffers, typed arrays and DataViews. */
export class InvalidPayloadError extends BrandedError {
	static override readonly brand: string = 'InvalidPayloadError';
	declare readonly name: 'InvalidPayloadError';
	constructor(payload: unknown, options?: ErrorOptions) {
		super(
			`Invalid payload ${show(payload)}: send a string, an ArrayBuffer, a typed array or a DataView ` +
				'(JSON.stringify an object, or emit a SocketMessage)',
			options,
		);
	}
}

/**
 * Thrown if a socket has the same id as another live socket. The new socket is rejected and closed; the other one is
 * not affected.
 */
export class DuplicateSocketError extends BrandedError {
	static override readonly brand: string = 'DuplicateSocketError';
	declare readonly name: 'DuplicateSocketError';
	readonly socketId: string;
	constructor(socketId: string) {
		super(`Socket ${socketId} is already connected: give every upgrade its own crypto.randomUUID()`);
		this.socketId = socketId;
	}
}

/** Thrown if no known node has a socket with the given id, or the socket has disconnected. */
export class UnknownSocketError extends BrandedError {
	static override readonly brand: string = 'UnknownSocketError';
	declare readonly name: 'UnknownSocketError';
	readonly socketId: string;
	constructor(socketId: string) {
		super(`Socket ${socketId} is not connected: it has closed, or addConnection(ws) has not been called yet`);
		this.socketId = socketId;
	}
}

/** Thrown if Bun dropped a message because the socket's buffer was over its limit. */
export class MessageDroppedError extends BrandedError {
	static override readonly brand: string = 'MessageDroppedError';
	declare readonly name: 'MessageDroppedError';
	readonly socketId: string;
	constructor(socketId: string) {
		super(
			`A message to socket ${socketId} was dropped: its client reads too slowly and its buffer is over backpressureLimit`,
		);
		this.socketId = socketId;
	}
}

/** Thrown if an option of a provider is invalid. */
export class InvalidOptionError extends BrandedError {
	static override readonly brand: string = 'InvalidOptionError';
	declare readonly name: 'InvalidOptionError';
}

/** Thrown if the argument of `setServer` is not a server. */
export class InvalidServerError extends BrandedError {
	static override readonly brand: string = 'InvalidServerError';
	declare readonly name: 'InvalidServerError';
	constructor(server: unknown) {
		super(`Invalid server ${show(server)}: pass setServer the server that Bun.serve() returned`);
	}
}

/** Thrown if a call needs a started provider, but was made before `start()` had completed. */
export class ProviderNotStartedError extends BrandedError {
	static override readonly brand: string = 'ProviderNotStartedError';
	declare readonly name: 'ProviderNotStartedError';
	constructor(call: string) {
		super(
			`${call} was called before the provider had started: await provider.start(), or app.listen(), first; nothing was done`,
		);
	}
}

/**
 * Thrown if a call needs a started provider, but was made after `stop()`, or was still pending when `stop()` was
 * called.
 */
export class ProviderStoppedError extends BrandedError {
	static override readonly brand: string = 'ProviderStoppedError';
	declare readonly name: 'ProviderStoppedError';
	constructor(call: string) {
		super(`${call}: the provider was stopped; nothing was done`);
	}
}

/**
 * Thrown if the backend refused a subscription. The subscription was rolled back: no socket is left subscribed to the
 * topic.
 */
export class SubscribeError extends BrandedError {
	static override readonly brand: string = 'SubscribeError';
	declare readonly name: 'SubscribeError';
	readonly topic: string;
	constructor(topic: string, options: ErrorOptions) {
		super(`Subscribing to ${show(topic)} failed and was rolled back${because(options.cause)}`, options);
		this.topic = topic;
	}
}

/**
 * Reported if the backend refuses to resubscribe a topic that it had accepted before. The topic's sockets stay
 * subscribed. The node keeps retrying, and reports gaps until a retry succeeds.
 */
export class SubscriptionLostError extends BrandedError {
	static override readonly brand: string = 'SubscriptionLostError';
	declare readonly name: 'SubscriptionLostError';
	readonly topic: string;
	constructor(topic: string, options: ErrorOptions) {
		super(
			`${show(topic)} could not be resubscribed; this node misses messages from other nodes until a retry succeeds` +
				because(options.cause),
			options,
		);
		this.topic = topic;
	}
}

/**
 * Thrown if the backend did not confirm a message. On a topic without history, this node's sockets received the
 * message. Sockets of other nodes received it only if nothing but the backend's reply was lost; in any case, a gap is
 * reported to them. On a topic with history, no socket received the message, unless only the reply was lost; then all
 * of them receive it. Retrying is safe with an `idempotencyKey`.
 */
export class BusUnavailableError extends BrandedError {
	static override readonly brand: string = 'BusUnavailableError';
	declare readonly name: 'BusUnavailableError';
	readonly topic: string;
	/** Whether the topic has history. If so, either all of its sockets receive the message or none of them do. */
	readonly hasHistory: boolean;
	constructor(topic: string, options: ErrorOptions & { readonly hasHistory?: boolean }) {
		const { hasHistory = false } = options;
		let fate = "this node's sockets received it, other nodes' sockets may not have";
		if (hasHistory) fate = 'it may not have been delivered to any socket; retrying is safe with an idempotencyKey';
		else if (isNodeChannel(topic)) fate = 'that node may not have received it';
		super(`A message to ${show(topic)} was not confirmed by the backend: ${fate}${because(options.cause)}`, options);
		this.topic = topic;
		this.hasHistory = hasHistory;
	}
}

/** Thrown if a call needs the history of a topic that has no history. */
export class NoHistoryError extends BrandedError {
	static override readonly brand: string = 'NoHistoryError';
	declare readonly name: 'NoHistoryError';
	readonly topic: string;
	constructor(topic: string, feature: string) {
		super(
			`${show(topic)} has no history, which ${feature} requires: configure a history pattern that matches the topic, e.g. ` +
				"history: { 'chat:*': { size: 500, ttlMs: 3_600_000 } }",
		);
		this.topic = topic;
	}
}

/** Thrown if `except` is not a socket id, nor an array of at most 100 socket ids. */
export class InvalidExceptError extends BrandedError {
	static override readonly brand: string = 'InvalidExceptError';
	declare readonly name: 'InvalidExceptError';
	constructor(except: unknown) {
		super(
			`Invalid except ${describeExcept(except)}: expected a socket id or an array of at most ${MAX_EXCEPT} socket ids` +
				(except === 'self' ? "; 'self' is possible where there is a sender: in ctx.emit and ctx.publish" : ''),
		);
	}
}

/** The maximum number of sockets that a message can leave out. */
export const MAX_EXCEPT = 100;

function describeExcept(except: unknown): string {
	return Array.isArray(except) ? `(an array of ${except.length})` : show(except);
}

/** Thrown if a message to a topic with history is to leave out some sockets. Nothing was sent. */
export class ExceptWithHistoryError extends BrandedError {
	static override readonly brand: string = 'ExceptWithHistoryError';
	declare readonly name: 'ExceptWithHistoryError';
	readonly topic: string;
	constructor(topic: string) {
		super(
			`except can't be used on ${show(topic)}, which has history: all its subscribers get the same sequence of messages. ` +
				'Put the sender into the data and have its client skip its own, or use a topic without history',
		);
		this.topic = topic;
	}
}

/** Thrown if a topic's history could not be read: the backend is unavailable, or refused the read. */
export class HistoryUnavailableError extends BrandedError {
	static override readonly brand: string = 'HistoryUnavailableError';
	declare readonly name: 'HistoryUnavailableError';
	readonly topic: string;
	constructor(topic: string, options: ErrorOptions) {
		super(`The history of ${show(topic)} could not be read${because(options.cause)}`, options);
		this.topic = topic;
	}
}

/** Thrown if an idempotency key is invalid. Allowed are strings of 1 to 256 characters. */
export class InvalidIdempotencyKeyError extends BrandedError {
	static override readonly brand: string = 'InvalidIdempotencyKeyError';
	declare readonly name: 'InvalidIdempotencyKeyError';
	constructor(key: unknown) {
		super(`Invalid idempotencyKey ${show(key)}: a key is a string of 1 to 256 characters, different for each message`);
	}
}

/** Thrown if a position in a topic's history (`since`) or a number of messages (`limit` or `rewind`) is invalid. */
export class InvalidPositionError extends BrandedError {
	static override readonly brand: string = 'InvalidPositionError';
	declare readonly name: 'InvalidPositionError';
	constructor(name: string, value: unknown, allowed: string) {
		super(`Invalid ${name} ${show(value)}: ${allowed}`);
	}
}

function because(cause: unknown): string {
	return cause instanceof Error ? `: ${cause.message}` : '';
}
