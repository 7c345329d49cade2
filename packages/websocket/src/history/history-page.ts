import type { Position } from '../protocol/position.ts';
import { envelopeOf, type PositionedEnvelope } from './framing.ts';
import type { HistoryBounds, HistoryStore } from './history-store.ts';
import { continues } from './topic-history.ts';

/** A page of a topic's history. */
export interface HistoryPage {
	/** The messages, oldest first. */
	readonly messages: readonly PositionedEnvelope[];
	/** With `offset`, the position at the end of this page: pass both as `since` to read the next page. */
	readonly epoch: string;
	/** See `epoch`. */
	readonly offset: number;
	/**
	 * Whether the page has the messages right after `since`; always true without `since`. If false, the page is empty,
	 * because some of these messages are no longer stored; `epoch` and `offset` are the topic's current position.
	 */
	readonly recovered: boolean;
}

/**
 * Reads the messages that follow a position in a topic, or the topic's latest messages.
 *
 * @param limit the maximum number of messages
 */
export async function readPage(
	store: HistoryStore,
	topic: string,
	bounds: HistoryBounds,
	since: Position | undefined,
	limit: number,
): Promise<HistoryPage> {
	const query = since === undefined ? { limit } : { after: since.offset, limit };
	const slice = await store.read(topic, query, bounds);
	const { epoch, last, entries } = slice;
	const recovered = since === undefined || continues(slice, since);
	const messages = recovered ? entries.map((entry) => envelopeOf(topic, epoch, entry)) : [];
	return { messages, epoch, offset: messages.at(-1)?.position.offset ?? last, recovered };
}
