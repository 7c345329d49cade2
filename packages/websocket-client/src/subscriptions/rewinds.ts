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

/** Called when a topic has a new subscription. */
export function rewindAdded(topic: Topic, handle: SubscriptionHandle, read: ReadHistory): void {
	// A topic that continues from a saved position is not rewound.
	if (!topic.isConfirmed) handle.isRewindDue &&= topic.saved === undefined;
	else if (handle.isRewindDue && !topic.isRewinding) void fetchPages(handle, topic.position, read);
}

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

/** Called when a topic is confirmed, after the gap, if any, was reported. */
export function rewindConfirmed({ subscriptions, position }: Topic, read: ReadHistory): void {
	for (const handle of subscriptions) {
		if (!handle.isRewindDue) continue;
		if (handle.held === undefined) void fetchPages(handle, position, read);
		else handle.release(handle.held.slice(-(handle.options.rewind as number)));
	}
}

/** @param upTo the position of the last message; undefined if the topic has no history, which the server refuses */
async function fetchPages(handle: SubscriptionHandle, upTo: Position | undefined, read: ReadHistory): Promise<void> {
	const held: Envelope[] = (handle.held = []);
	const messages: Envelope[] = [];
	let before: Position | undefined;
	let left = handle.options.rewind as number;
	let hasMore = true;
	handle.isRewindDue = false;
	try {
		while (hasMore && left > 0) {
			const page = await read(handle.topic, {
				upTo: before === undefined ? upTo : undefined,
				before,
				limit: Math.min(left, MAX_PAGE),
				timeoutMs: MAX_DELAY_MS,
			});
			messages.unshift(...page.messages);
			before = messages[0]?.position;
			left -= page.messages.length;
			hasMore = page.hasMore;
		}
		// Otherwise, it was closed, or messages were lost, and it rewinds again.
		if (handle.held !== held) return;
		handle.confirm();
		handle.release([...messages, ...held]);
	} catch (error) {
		if (handle.held === held) handle.break(error as Error);
	}
}
