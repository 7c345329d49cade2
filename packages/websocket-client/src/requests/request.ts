import { BuiltIn, type InferOutput, type SocketMessage, SocketRequestError, validate } from '@orijs/websocket/protocol';
import type { Connection } from '../connection/connection.ts';
import { type UnsentCode, UnsentMessageError } from '../errors.ts';
import { checked } from '../options.ts';
import { deferred, limit } from '../support/promises.ts';
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

/**
 * Sends a request and resolves with its answer.
 *
 * @param defaultMs the timeout of requests that don't set one
 * @param message a definition, or the name of a built-in message
 * @throws as documented for `SocketClient.request`
 */
export async function request(
	queue: SendQueue,
	defaultMs: number,
	message: SocketMessage | string,
	data: unknown,
	options: ClientRequestOptions,
): Promise<unknown> {
	const { signal, timeoutMs } = checked('request()', options, { timeoutMs: defaultMs, signal: undefined });
	const isBuiltIn = typeof message === 'string';
	return queue.order.run(isBuiltIn || validate(message, data), () => {
		signal?.throwIfAborted();
		const name = isBuiltIn ? message : message.name;
		const correlationId = String(++queue.requests);
		const text = encodeMessage(name, data, correlationId);
		const { promise, resolve, reject } = deferred<unknown>();
		/** Undefined while the request waits, and once it was dropped. */
		let sentOn: Connection | undefined;
		const outgoing: Outgoing = {
			text,
			deliver(connection, bytes) {
				sentOn = connection;
				connection.request(name, correlationId, text, bytes).then(resolve, (error: SocketRequestError) => {
					const isSafe = error.code === 'stopping' || (error.code === 'disconnected' && name === BuiltIn.history);
					if (!isSafe || !sentOn) return reject(error);
					// The server has not handled the request and never will, or it only reads: the next connection gets it.
					sentOn = undefined;
					queue.hold(outgoing, connection);
				});
			},
			refuse: (code, why) => reject(unsentRequest(name, code, why)),
		};
		const drop = (reason: Error): void => {
			queue.remove(outgoing);
			sentOn?.forget(correlationId);
			sentOn = undefined;
			reject(reason);
		};
		const settled = limit(
			signal,
			() => drop(signal?.reason as Error),
			timeoutMs,
			() => {
				const state = sentOn ? 'the server did not answer' : 'could not be sent';
				drop(new SocketRequestError(name, 'timeout', `${state} within ${timeoutMs} ms`));
			},
		);
		promise.then(settled, settled);
		queue.add(outgoing);
		return promise;
	});
}

/** Returns the error of a request that was not sent. */
export function unsentRequest(name: string, code: UnsentCode, why: string): SocketRequestError {
	const cause = new UnsentMessageError(name, code, why);
	const refusal = code === 'queue_full' ? 'too_many_requests' : code === 'closed' ? 'disconnected' : code;
	return new SocketRequestError(name, refusal, why, { cause });
}
