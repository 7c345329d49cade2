import { type SocketMessage, validate } from '@orijs/websocket/protocol';
import { UnsentMessageError } from '../errors.ts';
import type { Failures } from '../failures.ts';
import { known } from '../options.ts';
import { encodeMessage } from './encode-message.ts';
import type { SendQueue } from './send-queue.ts';

export interface SendOptions {
	/**
	 * Whether the message may be queued until it can be sent. Default true. Use false for messages that are useless
	 * later, such as "is typing".
	 */
	readonly queue?: boolean;
	/**
	 * A key: of the messages that wait under one key, only the newest is sent, when it is the first one's turn.
	 * Use it for states of which only the newest matters, such as the position of a pointer. The promises of the others
	 * reject with `replaced`. Default: none.
	 */
	readonly latest?: string;
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
	 * Sends a message. Errors are also passed to the error listeners, except `not_ready` and `replaced`, which a caller
	 * who passes `queue: false` or `latest` expects.
	 */
	send(message: SocketMessage, data: unknown, options: SendOptions): Promise<void> {
		const sent = this.#send(message, data, options);
		sent.catch((error: unknown) => {
			const code = error instanceof UnsentMessageError && error.code;
			if (code !== 'not_ready' && code !== 'replaced') this.#failures.report(error, 'send');
		});
		return sent;
	}

	async #send(message: SocketMessage, data: unknown, options: SendOptions): Promise<void> {
		const { queue = true, latest } = known(options, 'send()', ['queue', 'latest']);
		await this.#queue.order.run(validate(message, data), () => {
			const { name } = message;
			const text = encodeMessage(name, data);
			if (queue && this.#isClosed()) throw new UnsentMessageError(name, 'closed', 'the client is closed');
			return new Promise<void>((resolve, reject) => {
				this.#queue.add({
					text,
					isUrgent: !queue,
					latest,
					deliver: (connection, bytes) => {
						connection.send(text, bytes);
						resolve();
					},
					refuse: (code, why) => reject(new UnsentMessageError(name, code, why)),
				});
			});
		});
	}
}
