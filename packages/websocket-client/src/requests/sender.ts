import { type SocketMessage, validate } from '@orijs/websocket/protocol';
import { UnsentMessageError } from '../errors.ts';
import type { Failures } from '../failures.ts';
import { encodeMessage } from './encode-message.ts';
import type { SendQueue } from './send-queue.ts';

export interface SendOptions {
	/**
	 * Whether the message may be queued until it can be sent. Default true. Use false for messages that are useless
	 * later, such as "is typing".
	 */
	readonly queue?: boolean;
}

/** Sends messages that are not requests. */
export class Sender {
	readonly #queue: SendQueue;
	readonly #failures: Failures;
	readonly #isClosed: () => boolean;

	constructor(queue: SendQueue, failures: Failures, isClosed: () => boolean) {
		this.#queue = queue;
		this.#failures = failures;
		this.#isClosed = isClosed;
	}

	/**
	 * Sends a message. An error is also reported as a failure, except `not_ready`: a caller who passes `queue: false`
	 * expects it.
	 */
	send(message: SocketMessage, data: unknown, options: SendOptions): Promise<void> {
		const sent = this.#send(message, data, options);
		sent.catch((error: unknown) => {
			const isExpected = error instanceof UnsentMessageError && error.code === 'not_ready';
			if (!isExpected) this.#failures.report(error, 'send');
		});
		return sent;
	}

	async #send(message: SocketMessage, data: unknown, { queue = true }: SendOptions): Promise<void> {
		await this.#queue.inOrder(validate(message, data), () => {
			const { name } = message;
			const text = encodeMessage(name, data);
			if (!queue && !this.#queue.isClear) throw new UnsentMessageError(name, 'not_ready', 'there is no connection');
			if (this.#isClosed()) throw new UnsentMessageError(name, 'closed', 'the client is closed');
			return new Promise<void>((resolve, reject) => {
				this.#queue.add({
					name,
					text,
					deliver: (connection) => {
						connection.send(text);
						resolve();
					},
					refuse: reject,
				});
			});
		});
	}
}
