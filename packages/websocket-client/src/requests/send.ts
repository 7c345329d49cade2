import { type SocketMessage, validate } from '@orijs/websocket/protocol';
import { UnsentMessageError } from '../errors.ts';
import type { Failures } from '../failures.ts';
import { checked } from '../options.ts';
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

/**
 * Sends a message that is not a request. Errors are also passed to the error listeners, except `not_ready` and
 * `replaced`, which a caller who passes `queue: false` or `latest` expects.
 */
export async function send(
	queue: SendQueue,
	failures: Failures,
	message: SocketMessage,
	data: unknown,
	options: SendOptions,
): Promise<void> {
	try {
		const { queue: mayWait, latest } = checked('send()', options, { queue: true, latest: undefined });
		await queue.order.run(
			validate(message, data),
			() =>
				new Promise<void>((resolve, reject) => {
					const { name } = message;
					const text = encodeMessage(name, data);
					queue.add({
						text,
						isUrgent: !mayWait,
						latest,
						deliver(connection, bytes) {
							connection.send(text, bytes);
							resolve();
						},
						refuse: (code, why) => reject(new UnsentMessageError(name, code, why)),
					});
				}),
		);
	} catch (error) {
		const code = error instanceof UnsentMessageError && error.code;
		if (code !== 'not_ready' && code !== 'replaced') failures.report(error, 'send');
		throw error;
	}
}
