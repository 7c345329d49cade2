import type { Position } from '../protocol/position.ts';
import { envelopeOf, type PositionedEnvelope } from './framing.ts';
import type { HistoryBounds, HistoryStore } from './history-store.ts';
import { continues } from './topic-history.ts';

/** A part of a topic's history. */
export interface HistoryPage {
	/** The oldest first. */
	readonly messages: readonly PositionedEnvelope[];
	/** With `offset` the position that this page ends at: pass it as `since` to read the next page. */
	readonly epoch: string;
	readonly offset: number;
	/**
	 * Whether these are the messages right after `since` or, if that was not given, the last ones. If not, there are no
	 * messages, and `epoch` and `offset` are the topic's current position.
	 */
	readonly recovered: boolean;
}

/**
 * Reads the messages of a topic right after a position, or its last ones.
 *
 * @param limit the most messages to read
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
