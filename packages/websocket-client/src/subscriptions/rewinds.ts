import {
	type Envelope,
	type HistoryAnswer,
	MAX_PAGE,
	type Position,
	type PositionNotice,
} from '@orijs/websocket/protocol';
import { MAX_DELAY_MS } from '../options.ts';
import type { HistoryOptions } from '../requests/history.ts';
import type { SubscriptionHandle } from './subscription-handle.ts';
import type { Topic } from './topic.ts';

// Each subscription receives the latest messages that it asked for by `rewind`, before the ones that follow them:
//
// - When the topic is requested, and after messages were lost, the server sends as many as any subscription asked for.
//   They are held until the topic is confirmed, and then each subscription takes the last of them.
// - A subscription that is added later requests the messages up to the topic's position as pages of the history. The
//   ones that follow are held until it has them.

/** Requests a page of a topic's history. */
export type ReadHistory = (topic: string, options: HistoryOptions) => Promise<HistoryAnswer>;

/** Called when the server has answered a request with the topic's position. */
export function rewindPositioned(topic: Topic, { recovered, rewinding = false, count = 0 }: PositionNotice): void {
	topic.isRewinding = rewinding;
	if (recovered === undefined) return;
	for (const handle of topic.subscriptions) {
		if (!recovered && handle.options.rewind !== undefined) {
			handle.release(handle.held);
			handle.isRewindDue = true;
			if (rewinding) handle.held = [];
		}
		handle.call('onRecovered', { recovered, count });
	}
}

/**
 * Called when the topic of a subscription is confirmed, after the gap, if any, was reported. Does nothing unless a
 * rewind is due.
 *
 * @param upTo the topic's position; undefined if it has no history, which the server then refuses
 */
export async function rewind(handle: SubscriptionHandle, upTo: Position | undefined, read: ReadHistory): Promise<void> {
	let left = handle.options.rewind as number;
	if (!handle.isRewindDue) return;
	if (handle.held !== undefined) return handle.release(handle.held.slice(-left));
	const held: Envelope[] = (handle.held = []);
	const messages: Envelope[] = [];
	let page: HistoryAnswer | undefined;
	handle.isRewindDue = false;
	try {
		do {
			const at = page === undefined ? { upTo } : { before: messages[0]?.position };
			page = await read(handle.topic, { ...at, limit: Math.min(left, MAX_PAGE), timeoutMs: MAX_DELAY_MS });
			messages.unshift(...page.messages);
			left -= page.messages.length;
		} while (page.hasMore && left > 0);
		// Otherwise, it was closed, or messages were lost, and it rewinds again.
		if (handle.held !== held) return;
		handle.confirm();
		handle.release([...messages, ...held]);
	} catch (error) {
		if (handle.held === held) handle.break(error as Error);
	}
}
