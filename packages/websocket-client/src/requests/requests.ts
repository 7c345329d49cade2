import {
	type InferOutput,
	type RequestMessage,
	type SocketMessage,
	SocketRequestError,
	validate,
} from '@orijs/websocket/protocol';
import type { Connection } from '../connection/connection.ts';
import { delay } from '../options.ts';
import { deferred, quiet } from '../support/promises.ts';
import { encodeMessage } from './encode-message.ts';
import type { Outgoing, SendQueue } from './send-queue.ts';

export interface ClientRequestOptions {
	/**
	 * How long the request may take, waiting for a connection included, in milliseconds. Default: `requestTimeoutMs` of
	 * the client.
	 */
	readonly timeoutMs?: number;
	/** Aborts the request, with the signal's reason. If it was sent already, the server may handle it all the same. */
	readonly signal?: AbortSignal;
}

/** The answer to a message: as its `reply` says, or null if it has none. */
export type ReplyTo<TMessage extends SocketMessage> = TMessage extends RequestMessage
	? InferOutput<TMessage['reply']>
	: null;

/** Sends requests to the server, and resolves with its answers. */
export class Requests {
	readonly #queue: SendQueue;
	readonly #timeoutMs: number;
	readonly #isClosed: () => boolean;
	#count = 0;

	/** @param timeoutMs for requests without their own timeout */
	constructor(queue: SendQueue, timeoutMs: number, isClosed: () => boolean) {
		this.#queue = queue;
		this.#timeoutMs = timeoutMs;
		this.#isClosed = isClosed;
	}

	/** @throws see `SocketClient.request` */
	async request(message: SocketMessage, data: unknown, options: ClientRequestOptions): Promise<unknown> {
		const { signal } = options;
		const timeoutMs = delay('timeoutMs', options.timeoutMs ?? this.#timeoutMs);
		signal?.throwIfAborted();
		return this.#queue.inOrder(validate(message, data), () => {
			signal?.throwIfAborted();
			const { name } = message;
			if (this.#isClosed()) throw new SocketRequestError(name, 'disconnected', 'the client is closed');
			return this.#send(name, data, timeoutMs, signal);
		});
	}

	#send(name: string, data: unknown, timeoutMs: number, signal: AbortSignal | undefined): Promise<unknown> {
		const correlationId = String(++this.#count);
		const text = encodeMessage(name, data, correlationId);
		const { promise, resolve, reject } = deferred<unknown>();
		let sentOn: Connection | undefined;
		const outgoing: Outgoing = {
			name,
			text,
			deliver: (connection) => {
				sentOn = connection;
				connection.request(name, correlationId, text).then(resolve, (error: SocketRequestError) => {
					if (error.code !== 'stopping' || sentOn !== connection) return reject(error);
					// The server has not handled the request and will not: it waits for the next connection.
					sentOn = undefined;
					this.#queue.hold(outgoing, connection);
				});
			},
			refuse: (cause) => {
				const code = cause.code === 'queue_full' ? 'too_many_requests' : 'disconnected';
				reject(new SocketRequestError(name, code, 'it was not sent', { cause }));
			},
		};
		const drop = (reason: Error): void => {
			this.#queue.remove(outgoing);
			sentOn?.forget(correlationId);
			sentOn = undefined;
			reject(reason);
		};
		const timer = setTimeout(() => {
			const state = sentOn === undefined ? 'there was no connection' : 'the server did not answer';
			drop(new SocketRequestError(name, 'timeout', `${state} within ${timeoutMs} ms`));
		}, timeoutMs);
		const abort = (): void => drop(signal?.reason as Error);
		signal?.addEventListener('abort', abort, { once: true });
		const done = (): void => {
			clearTimeout(timer);
			signal?.removeEventListener('abort', abort);
		};
		void quiet(promise.finally(done));
		this.#queue.add(outgoing);
		return promise;
	}
}
