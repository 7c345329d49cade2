import {
	type InferOutput,
	type RequestMessage,
	type SocketMessage,
	SocketRequestError,
	validate,
} from '@orijs/websocket/protocol';
import type { Connection } from '../connection/connection.ts';
import { inRange } from '../options.ts';
import { deferred, quiet } from '../support/promises.ts';
import { encodeMessage } from './encode-message.ts';
import type { Outgoing, SendQueue } from './send-queue.ts';

export interface ClientRequestOptions {
	/**
	 * How long the request may take, including the wait for a connection, in milliseconds. Default: the client's
	 * `requestTimeoutMs`.
	 */
	readonly timeoutMs?: number;
	/**
	 * Aborts the request, which then rejects with the signal's reason. If the request was already sent, the server may
	 * handle it nevertheless.
	 */
	readonly signal?: AbortSignal;
}

/** The type of the answer to a message: the output of its `reply` schema, or null if it defines no `reply`. */
export type ReplyTo<TMessage extends SocketMessage> = TMessage extends RequestMessage
	? InferOutput<TMessage['reply']>
	: null;

/** Sends requests to the server and waits for the answers. */
export class Requests {
	readonly #queue: SendQueue;
	readonly #timeoutMs: number;
	readonly #isClosed: () => boolean;
	#count = 0;

	/** @param timeoutMs the timeout of requests that don't set one */
	constructor(queue: SendQueue, timeoutMs: number, isClosed: () => boolean) {
		this.#queue = queue;
		this.#timeoutMs = timeoutMs;
		this.#isClosed = isClosed;
	}

	/** Sends a request and resolves with its answer. @throws as documented for `SocketClient.request` */
	async request(message: SocketMessage, data: unknown, options: ClientRequestOptions): Promise<unknown> {
		const { signal } = options;
		const timeoutMs = inRange('timeoutMs', options.timeoutMs ?? this.#timeoutMs);
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
					// The server has not handled the request and never will, so the request waits for the next connection.
					sentOn = undefined;
					this.#queue.hold(outgoing, connection);
				});
			},
			refuse: (cause) => {
				const code = cause.code === 'queue_full' ? 'too_many_requests' : 'disconnected';
				reject(new SocketRequestError(name, code, 'the request was not sent', { cause }));
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
