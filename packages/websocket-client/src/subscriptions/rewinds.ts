import { type Envelope, type HistoryAnswer, MAX_PAGE, type Position } from '@orijs/websocket/protocol';
import { MAX_DELAY_MS } from '../options.ts';
import type { HistoryOptions } from '../requests/history.ts';
import type { SubscriptionHandle } from './subscription-handle.ts';

// Each subscription first receives the latest messages, as many as its `rewind` says, and then those that follow:
//
// - When the topic is requested, and after messages were lost, the server sends as many as any subscription asked for.
//   They are held until the topic is confirmed, and then each subscription takes the last of them.
// - A subscription that is added later requests the messages up to the topic's position as pages of the history. The
//   ones that follow are held until it has them.

/** Requests a page of a topic's history. */
export type ReadHistory = (topic: string, options: HistoryOptions) => Promise<HistoryAnswer>;

/**
 * Called when the topic of a subscription is confirmed, after the gap, if any, was reported. Confirms the subscription,
 * once it has the messages of its rewind if one is due.
 *
 * @param upTo the topic's position; undefined if it has no history, which the server then refuses
 * @param done called when its messages have been delivered
 */
export async function confirm(
	handle: SubscriptionHandle,
	upTo: Position | undefined,
	read: ReadHistory,
	done: () => unknown,
): Promise<void> {
	const sent = handle.held;
	let left = handle.options.rewind as number;
	// Its pages are on their way.
	if (!handle.isRewindDue && sent) return;
	if (!handle.isRewindDue || sent) {
		handle.confirm();
		handle.release(sent?.slice(-left));
		if (sent) done();
		return;
	}
	const held: Envelope[] = (handle.held = []);
	const messages: Envelope[] = [];
	let page: HistoryAnswer;
	handle.isRewindDue = false;
	try {
		do {
			page = await read(handle.topic, {
				upTo,
				before: messages[0]?.position,
				limit: Math.min(left, MAX_PAGE),
				timeoutMs: MAX_DELAY_MS,
			});
			messages.unshift(...page.messages);
			left -= page.messages.length;
			upTo = undefined;
		} while (page.hasMore && left > 0);
		// Otherwise, it was closed, or messages were lost, and it rewinds again.
		if (handle.held !== held) return;
		handle.confirm();
		handle.release([...messages, ...held]);
		done();
	} catch (error) {
		if (handle.held === held) handle.break(error as Error);
	}
}
