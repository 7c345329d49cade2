import { deepEqual, equal, ok } from 'node:assert/strict';
import type { Bus } from '../bus.ts';
import {
	type HistoryBounds,
	type HistoryContent,
	type HistoryEntry,
	type HistorySlice,
	type HistoryStore,
	LONGEST_STEP,
} from '../history/history-store.ts';
import type { Node, Stage } from './stage.ts';

/** Bounds that nothing in the suite exceeds. */
export const ROOMY: HistoryBounds = { size: 10_000, bytes: 64 * 1024 * 1024, ttlMs: 60 * 60_000 };

export interface HistoryNode extends Node {
	readonly history: HistoryStore;
}

/** A node with a history that is prepared, and subscribed to the topics. */
export async function historyNode(stage: Stage, ...topics: string[]): Promise<HistoryNode> {
	const { bus, seen } = await stage.node();
	const history = historyOf(bus);
	await history.prepare();
	if (topics.length > 0) await bus.subscribe(topics);
	return { bus, seen, history };
}

export function historyNodes(stage: Stage, count: number, ...topics: string[]): Promise<HistoryNode[]> {
	return Promise.all(Array.from({ length: count }, () => historyNode(stage, ...topics)));
}

export function historyOf(bus: Bus): HistoryStore {
	ok(bus.history, 'the bus has no history: Bus.history must be there for this suite');
	return bus.history;
}

/** All that is stored of a topic. */
export function readAll(node: HistoryNode, topic = 't', bounds: HistoryBounds = ROOMY): Promise<HistorySlice> {
	return node.history.read(topic, { limit: ROOMY.size }, bounds);
}

/** Whatever kind of `Uint8Array` bytes came in, in a form that `deepEqual` can compare. */
export function plain(content: HistoryContent): HistoryContent {
	return typeof content === 'string' ? content : new Uint8Array(content);
}

export function contents(entries: readonly HistoryEntry[]): HistoryContent[] {
	return entries.map(({ content }) => plain(content));
}

/** The entries, to be compared with those that came another way. */
export function plainEntries(entries: readonly HistoryEntry[]): HistoryEntry[] {
	return entries.map(({ offset, prev, timestamp, content }) => ({ offset, prev, timestamp, content: plain(content) }));
}

/** Each goes on from the one before by a step that is allowed; the first from `prev`. */
export function assertChain(entries: readonly HistoryEntry[], prev: number): void {
	let before = prev;
	for (const entry of entries) {
		equal(entry.prev, before, 'prev must be the offset given before');
		const step = entry.offset - entry.prev;
		ok(Number.isInteger(step) && step >= 1 && step <= LONGEST_STEP, `a step from 1 to ${LONGEST_STEP}, not ${step}`);
		before = entry.offset;
	}
}

/** What each of them heard of a topic is what is stored of it, from the first message on. */
export async function assertAllHeard(nodes: readonly HistoryNode[], topic: string, count: number): Promise<void> {
	for (const node of nodes) {
		await node.seen.untilEntries(topic, count);
		const stored = await readAll(node, topic);
		equal(stored.entries.length, count);
		assertChain(stored.entries, 0);
		deepEqual(plainEntries(node.seen.entries(topic)), plainEntries(stored.entries));
		for (const { topic: heard, slice } of node.seen.slices) if (heard === topic) equal(slice.epoch, stored.epoch);
	}
}

export function bytes(...values: number[]): Uint8Array {
	return Uint8Array.from(values);
}
