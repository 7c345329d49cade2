import { SocketRequestError } from '@orijs/websocket/protocol';
import type { Connection } from '../connection/connection.ts';
import { deferred, quiet } from '../deferred.ts';
import { encodeMessage } from './encode-message.ts';
import type { SendQueue, Outgoing } from './send-queue.ts';

export interface ClientRequestOptions {
	/** How long it may take in all, waiting for a connection included, in milliseconds. Default: `requestTimeoutMs` of the client. */
	readonly timeoutMs?: number;
	/** Ends it, with the signal's reason. What was sent already may be handled all the same. */
	readonly signal?: AbortSignal;
}

/** Asks the server, and waits for its answers. */
export class Requests {
	readonly #outbox: SendQueue;
	#count = 0;

	constructor(outbox: SendQueue) {
		this.#outbox = outbox;
	}

	/** @throws {SocketRequestError} or the signal's reason */
	ask(name: string, data: unknown, timeoutMs: number, signal: AbortSignal | undefined): Promise<unknown> {
		const correlationId = String(++this.#count);
		const text = encodeMessage(name, data, correlationId);
		const { promise, resolve, reject } = deferred<unknown>();
		let sentOn: Connection | undefined;
		const outgoing: Outgoing = {
			name,
			text,
			deliver: (connection) => {
				sentOn = connection;
				connection.ask(name, correlationId, text).then(resolve, (error: SocketRequestError) => {
					if (error.code !== 'stopping' || sentOn !== connection) return reject(error);
					// Not handled, and not worth another try before the next connection.
					sentOn = undefined;
					this.#outbox.hold(outgoing, connection);
				});
			},
			refuse: (cause) => {
				const code = cause.code === 'queue_full' ? 'too_many_requests' : 'disconnected';
				reject(new SocketRequestError(name, code, 'it was not sent', { cause }));
			},
		};
		const drop = (why: Error): void => {
			this.#outbox.remove(outgoing);
			sentOn?.forget(correlationId);
			sentOn = undefined;
			reject(why);
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
		this.#outbox.add(outgoing);
		return promise;
	}
}
