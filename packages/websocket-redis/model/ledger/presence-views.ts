import type { Span, View } from '../../faults/presence/records.ts';
import { intersection, uncovered } from '../../faults/presence/spans.ts';
import type { ClientEntry } from '../clients/protocol.ts';
import type { Connection } from './presence-stays.ts';

/** How soon a client knows the members after it is ready, in milliseconds. */
const WATCHED_MS = 3_000;

/** What a client said of a topic's members, and when. */
interface Said {
	readonly at: number;
	/** Undefined: it no longer watches. */
	readonly keys: ReadonlySet<string> | undefined;
}

/**
 * Returns what a client knew of the members of topics: a view for each of its connections.
 *
 * @param entries of this client, in order
 * @param unknowable when a node could not know the truth: its link led to another server
 */
export function viewsOf(
	client: string,
	entries: readonly ClientEntry[],
	connections: readonly Connection[],
	unknowable: (node: string) => readonly Span[],
): View[] {
	const topics = new Map<string, Said[]>();
	for (const entry of entries) {
		if (entry.do !== 'members' && entry.do !== 'unwatched') continue;
		let all = topics.get(entry.topic);
		if (all === undefined) topics.set(entry.topic, (all = []));
		all.push({ at: entry.at, keys: entry.do === 'members' ? new Set(entry.keys) : undefined });
	}
	return [...topics].flatMap(([topic, said]) =>
		connections.flatMap(({ node, from, until }) => {
			// A client that has watched before has to know what has changed meanwhile, soon after it is ready.
			const known = said.findLast(({ at }) => at < from)?.keys !== undefined ? from + WATCHED_MS : Infinity;
			const first = said.find(({ at, keys }) => at >= from && keys !== undefined)?.at ?? Infinity;
			return uncovered({ from: Math.min(known, first), until }, unknowable(node)).flatMap((span) =>
				watched(said, span).map((part): View => ({
					watcher: client,
					topic,
					node,
					...part,
					members: spansOf(said, part),
					stale: [],
				})),
			);
		}),
	);
}

/** Returns the parts of a span in which the client watched. */
function watched(said: readonly Said[], span: Span): Span[] {
	const spans: { from: number; until: number }[] = [];
	for (const { at, keys } of said) {
		const last = spans.at(-1);
		const isOpen = last !== undefined && last.until === Infinity;
		if (keys === undefined && isOpen) last.until = at;
		else if (keys !== undefined && !isOpen) spans.push({ from: at, until: Infinity });
	}
	return spans.flatMap((each) => intersection(each, span) ?? []);
}

function spansOf(said: readonly Said[], part: Span): Map<string, Span[]> {
	const members = new Map<string, { from: number; until: number }[]>();
	for (const [i, { at, keys }] of said.entries()) {
		const span = intersection({ from: at, until: said[i + 1]?.at ?? Infinity }, part);
		if (span === undefined) continue;
		for (const key of keys ?? []) {
			let spans = members.get(key);
			if (spans === undefined) members.set(key, (spans = []));
			const last = spans.at(-1);
			if (last !== undefined && last.until === span.from) last.until = span.until;
			else spans.push({ ...span });
		}
	}
	return members;
}
