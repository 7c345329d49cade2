import type { Position } from '../protocol/position.ts';
import { envelopeOf, type PositionedEnvelope } from './framing.ts';
import type { HistoryBounds, HistorySlice, HistoryStore } from './history-store.ts';
import { continues } from './topic-history.ts';

/** A page of a topic's history. */
export interface HistoryPage {
	/** The messages, oldest first. */
	readonly messages: readonly PositionedEnvelope[];
	/**
	 * Together with `offset`, the position of the last message in this page or, if the page is empty, the topic's
	 * current position. Pass both as `since` to read the next page.
	 */
	readonly epoch: string;
	/** See `epoch`. */
	readonly offset: number;
	/**
	 * Whether more messages are kept in the direction of reading: later ones with `since`, otherwise earlier ones. To
	 * read those, pass the `position` of the page's first message as `before`.
	 */
	readonly hasMore: boolean;
	/**
	 * Whether the page has the messages right after `since` or right before `before`, as far as they are kept; always
	 * true if neither is given. If false, the topic's history was lost, or with `since`, some of these messages are no
	 * longer kept. The page is then empty, and `hasMore` is false.
	 */
	readonly recovered: boolean;
}

/** Selects a page: the messages after a position, those before one, or the latest. */
export interface PageQuery {
	readonly since?: Position | undefined;
	readonly before?: Position | undefined;
	/** The maximum number of messages. */
	readonly limit: number;
}

/** Reads a page of a topic's history. */
export async function readPage(
	store: HistoryStore,
	topic: string,
	bounds: HistoryBounds,
	{ since, before, limit }: PageQuery,
): Promise<HistoryPage> {
	if (since !== undefined) {
		const slice = await store.read(topic, { after: since.offset, limit }, bounds);
		const end = slice.entries.at(-1)?.offset ?? slice.last;
		return pageOf(topic, slice, 0, { recovered: continues(slice, since), hasMore: end < slice.last });
	}
	// One more message than requested shows whether there are more.
	if (before === undefined) {
		const slice = await store.read(topic, { limit: limit + 1 }, bounds);
		const { length } = slice.entries;
		return pageOf(topic, slice, Math.max(0, length - limit), { recovered: true, hasMore: length > limit });
	}
	// The message at `before` is read as well. It shows whether the others still precede it.
	const slice = await store.read(topic, { before: before.offset + 1, limit: limit + 2 }, bounds);
	const leading = slice.entries.slice(0, -1);
	const hasMore = leading.length > limit;
	const page = { ...slice, entries: leading };
	return pageOf(topic, page, Math.max(0, leading.length - limit), { recovered: leadsTo(slice, before), hasMore });
}

/**
 * Returns whether a slice that was read up to a position ends there, or is empty because no message up to it is kept.
 */
function leadsTo(slice: HistorySlice, { epoch, offset }: Position): boolean {
	if (offset === 0) return continues({ ...slice, last: 0, entries: [] }, { epoch, offset });
	return epoch === slice.epoch && offset <= slice.last && (slice.entries.at(-1)?.offset ?? offset) === offset;
}

/** @param from the index of the page's first message in the slice */
function pageOf(
	topic: string,
	{ epoch, last, entries }: HistorySlice,
	from: number,
	{ recovered, hasMore }: { readonly recovered: boolean; readonly hasMore: boolean },
): HistoryPage {
	const messages = recovered ? entries.slice(from).map((entry) => envelopeOf(topic, epoch, entry)) : [];
	const offset = messages.at(-1)?.position.offset ?? last;
	return { messages, epoch, offset, hasMore: recovered && hasMore, recovered };
}
