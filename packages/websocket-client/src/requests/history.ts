import {
	BuiltIn,
	type HistoryAnswer,
	InvalidTopicError,
	isTopic,
	type Position,
	restoreValues,
	SocketRequestError,
} from '@orijs/websocket/protocol';
import { checked } from '../options.ts';
import { type ClientRequestOptions, request } from './request.ts';
import type { SendQueue } from './send-queue.ts';

/** Which messages of a topic's history to read. Of `since`, `before` and `upTo`, only one may be given. */
export interface HistoryOptions extends ClientRequestOptions {
	/** Read the oldest messages after this position. */
	readonly since?: Position | undefined;
	/** Read the latest messages before the one at this position. */
	readonly before?: Position | undefined;
	/** Read the latest messages up to and including the one at this position. */
	readonly upTo?: Position | undefined;
	/** The maximum number of messages, from 1 to 1,000. Default 100. */
	readonly limit?: number | undefined;
}

/** Requests a page of a topic's history. @throws as documented for `SocketClient.history` */
export async function history(
	queue: SendQueue,
	defaultMs: number,
	topic: string,
	options: HistoryOptions,
): Promise<HistoryAnswer> {
	if (!isTopic(topic)) throw new InvalidTopicError(topic);
	const { timeoutMs, signal, ...query } = checked('history()', options, {
		since: undefined,
		before: undefined,
		upTo: undefined,
		limit: undefined,
		timeoutMs: undefined,
		signal: undefined,
	});
	const answer = await request(queue, defaultMs, BuiltIn.history, { topic, ...query }, { timeoutMs, signal });
	const page = answer as HistoryAnswer;
	try {
		page.messages.forEach(restoreValues);
	} catch (cause) {
		throw new SocketRequestError(BuiltIn.history, 'invalid_reply', 'the answer is invalid', { cause });
	}
	return page;
}
