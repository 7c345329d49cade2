import type { Position } from '../protocol/position.ts';
import type { PositionedEnvelope } from '../protocol/positioned-envelope.ts';
import { envelopeOf } from './framing.ts';
import type { HistoryBounds, HistoryEntry, HistorySlice, HistoryStore } from './history-store.ts';
import { continues } from './topic-history.ts';

/** What is known of a page of a topic's history, besides its messages. */
export interface PageOutcome {
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
	 * Whether the page has the messages right after `since`, right before `before` or up to `upTo`, as far as they are
	 * kept; always true if none of them is given. If false, the topic's history was lost, or with `since`, some of these
	 * messages are no longer kept. The page is then empty, and `hasMore` is false.
	 */
	readonly recovered: boolean;
}

/** A page of a topic's history. */
export interface HistoryPage extends PageOutcome {
	/** The messages, oldest first. */
	readonly messages: readonly PositionedEnvelope[];
}

/** The stored messages of a page. */
export interface StoredPage extends PageOutcome {
	readonly entries: readonly HistoryEntry[];
}

/**
 * Selects a page: the messages after a position, those before one, those up to and including the one at a position, or
 * the latest.
 */
export interface PageQuery {
	readonly since?: Position | undefined;
	readonly before?: Position | undefined;
	readonly upTo?: Position | undefined;
	/** The maximum number of messages. */
	readonly limit: number;
	/** The maximum size of all contents, in bytes, with text as UTF-8. A larger message is a page of its own. */
	readonly bytes?: number | undefined;
}

/** Reads a page of a topic's history. */
export async function readPage(
	store: HistoryStore,
	topic: string,
	bounds: HistoryBounds,
	query: PageQuery,
): Promise<HistoryPage> {
	const { entries, ...outcome } = await readStored(store, topic, bounds, query);
	return { messages: entries.map((entry) => envelopeOf(topic, outcome.epoch, entry)), ...outcome };
}

/** Reads a page in the form in which it is stored. */
export async function readStored(
	store: HistoryStore,
	topic: string,
	bounds: HistoryBounds,
	{ since, before, upTo, limit, bytes = Infinity }: PageQuery,
): Promise<StoredPage> {
	const most = bytes === Infinity ? undefined : bytes;
	if (since !== undefined) {
		const slice = await store.read(topic, { after: since.offset, limit, bytes: most }, bounds);
		const count = countThatFits(slice.entries, 0, 1, bytes);
		const entries = slice.entries.slice(0, count);
		const end = entries.at(-1)?.offset ?? slice.last;
		return pageOf(slice, entries, continues(slice, since), end < slice.last);
	}
	// One more message than requested shows whether there are more. The message at `before` is read as well: it shows
	// whether the others still precede it.
	const to = before ?? upTo;
	const beside = before === undefined ? 0 : 1;
	const slice = await store.read(
		topic,
		{ ...(to !== undefined && { before: to.offset + 1 }), limit: limit + beside + 1, bytes: most },
		bounds,
	);
	const { entries } = slice;
	const last = entries.length - beside;
	const count = Math.min(limit, countThatFits(entries, entries.length - 1, -1, bytes, beside));
	const from = Math.max(0, last - count);
	return pageOf(slice, entries.slice(from, Math.max(0, last)), to === undefined || leadsTo(slice, to), from > 0);
}

/**
 * Counts the messages that fit into a page, but always one, reading from the index `from`.
 *
 * @param beside the number of messages at `from` that are not part of the page; their size counts nevertheless, because
 * it did when the store was read
 */
function countThatFits(
	entries: readonly HistoryEntry[],
	from: number,
	step: 1 | -1,
	bytes: number,
	beside: number = 0,
): number {
	if (bytes === Infinity) return entries.length;
	let size = 0;
	let count = 0;
	for (let at = from; at >= 0 && at < entries.length; at += step, count++) {
		const { content } = entries[at] as HistoryEntry;
		size += typeof content === 'string' ? Buffer.byteLength(content) : content.byteLength;
		if (size > bytes && count > beside) break;
	}
	return count - beside;
}

/**
 * Returns whether a slice that was read up to a position ends there, or is empty because no message up to it is kept.
 */
function leadsTo(slice: HistorySlice, { epoch, offset }: Position): boolean {
	if (offset === 0) return continues({ ...slice, last: 0, entries: [] }, { epoch, offset });
	return epoch === slice.epoch && offset <= slice.last && (slice.entries.at(-1)?.offset ?? offset) === offset;
}

function pageOf(
	{ epoch, last }: HistorySlice,
	found: readonly HistoryEntry[],
	recovered: boolean,
	isMore: boolean,
): StoredPage {
	const entries = recovered ? found : [];
	return { entries, epoch, offset: entries.at(-1)?.offset ?? last, hasMore: recovered && isMore, recovered };
}
