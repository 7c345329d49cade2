import {
	BuiltIn,
	type ErrorCode,
	type InferOutput,
	type SocketMessage,
	SocketRequestError,
	validate,
} from '@orijs/websocket/protocol';
import type { Connection } from '../connection/connection.ts';
import { InvalidClientOptionError, type UnsentCode, UnsentMessageError } from '../errors.ts';
import { inRange, known } from '../options.ts';
import { deferred, quiet } from '../support/promises.ts';
import { encodeMessage } from './encode-message.ts';
import type { Outgoing, SendQueue } from './send-queue.ts';

export interface ClientRequestOptions {
	/**
	 * How long the request may take, including the wait for a connection, in milliseconds. Default: the client's
	 * `requestTimeoutMs`.
	 */
	readonly timeoutMs?: number | undefined;
	/**
	 * Aborts the request, which then rejects with the signal's reason. If the request was already sent, the server may
	 * handle it nevertheless.
	 */
	readonly signal?: AbortSignal | undefined;
}

/** The type of the answer to a message: the output of its `reply` schema, or null if it defines no `reply`. */
export type ReplyTo<TMessage extends SocketMessage> = OutputOrNull<TMessage['reply']>;

type OutputOrNull<TSchema> = TSchema extends SocketMessage['data'] ? InferOutput<TSchema> : null;

/** The codes with which requests reject if they were not sent. */
const REFUSALS: { readonly [K in UnsentCode]?: ErrorCode } = {
	queue_full: 'too_many_requests',
	too_large: 'too_large',
};

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

	/**
	 * Sends a request and resolves with its answer.
	 *
	 * @param message a definition, or the name of a built-in message
	 * @throws as documented for `SocketClient.request`
	 */
	async request(message: SocketMessage | string, data: unknown, options: ClientRequestOptions): Promise<unknown> {
		const { signal } = known(options, 'request()', ['timeoutMs', 'signal']);
		if (signal !== undefined && !signal?.addEventListener)
			throw new InvalidClientOptionError('signal must be an AbortSignal');
		const timeoutMs = inRange('timeoutMs', options.timeoutMs ?? this.#timeoutMs);
		const isBuiltIn = typeof message === 'string';
		return this.#queue.order.run(isBuiltIn || validate(message, data), () => {
			signal?.throwIfAborted();
			const name = isBuiltIn ? message : message.name;
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
			text,
			deliver: (connection, bytes) => {
				sentOn = connection;
				connection.request(name, correlationId, text, bytes).then(resolve, (error: SocketRequestError) => {
					const isSafe = error.code === 'stopping' || (error.code === 'disconnected' && name === BuiltIn.history);
					if (!isSafe || sentOn !== connection) return reject(error);
					// The server has not handled the request and never will, or it only reads: the next connection gets it.
					sentOn = undefined;
					this.#queue.hold(outgoing, connection);
				});
			},
			refuse(code, why) {
				const cause = new UnsentMessageError(name, code, why);
				reject(new SocketRequestError(name, REFUSALS[code] ?? 'disconnected', why, { cause }));
			},
		};
		const drop = (reason: Error): void => {
			this.#queue.remove(outgoing);
			sentOn?.forget(correlationId);
			sentOn = undefined;
			reject(reason);
		};
		const timer = setTimeout(() => {
			const state = sentOn === undefined ? 'it could not be sent' : 'the server did not answer';
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
