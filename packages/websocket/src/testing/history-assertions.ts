import { deepEqual, equal, ok } from 'node:assert/strict';
import { type HistoryContent, type HistoryEntry, LONGEST_STEP } from '../history/history-store.ts';
import { type HistoryNode, readAll } from './history-node.ts';

export function bytes(...values: number[]): Uint8Array {
	return Uint8Array.from(values);
}

/** Returns the contents of entries, in a form that `deepEqual` can compare. */
export function contents(entries: readonly HistoryEntry[]): HistoryContent[] {
	return entries.map(({ content }) => plain(content));
}

/** Turns an instance of a `Uint8Array` subclass, such as `Buffer`, into a plain `Uint8Array`. */
function plain(content: HistoryContent): HistoryContent {
	return typeof content === 'string' ? content : new Uint8Array(content);
}

function plainEntries(entries: readonly HistoryEntry[]): HistoryEntry[] {
	return entries.map(({ offset, prev, timestamp, content }) => ({ offset, prev, timestamp, content: plain(content) }));
}

/** Asserts that each entry follows the preceding one by an allowed step, and the first one follows `prev`. */
export function assertChain(entries: readonly HistoryEntry[], prev: number): void {
	let before = prev;
	for (const entry of entries) {
		equal(entry.prev, before, 'prev must be the offset of the preceding message');
		const step = entry.offset - entry.prev;
		ok(Number.isInteger(step) && step >= 1 && step <= LONGEST_STEP, `a step must be 1 to ${LONGEST_STEP}, not ${step}`);
		before = entry.offset;
	}
}

/**
 * Asserts that a topic has `count` stored messages, starting with its first, and that each node received exactly these.
 */
export async function assertAllReceived(nodes: readonly HistoryNode[], topic: string, count: number): Promise<void> {
	for (const node of nodes) {
		await node.received.untilEntries(topic, count);
		const stored = await readAll(node, topic);
		equal(stored.entries.length, count);
		assertChain(stored.entries, 0);
		deepEqual(plainEntries(node.received.entries(topic)), plainEntries(stored.entries));
		for (const received of node.received.slices) {
			if (received.topic === topic) equal(received.slice.epoch, stored.epoch);
		}
	}
}
