import { ok } from 'node:assert/strict';
import type { Bus } from '../bus.ts';
import type { HistoryBounds, HistorySlice, HistoryStore } from '../history/history-store.ts';
import type { CaseContext, CaseNode } from './case-context.ts';

/** Bounds that nothing in the suite exceeds. */
export const ROOMY: HistoryBounds = { size: 10_000, bytes: 64 * 1024 * 1024, ttlMs: 60 * 60_000 };

export interface HistoryNode extends CaseNode {
	readonly history: HistoryStore;
}

/** Starts a node, prepares its history and subscribes it to the topics. */
export async function startHistoryNode(context: CaseContext, ...topics: string[]): Promise<HistoryNode> {
	const { bus, received } = await context.startNode();
	const history = historyOf(bus);
	await history.prepare();
	if (topics.length > 0) await bus.subscribe(topics);
	return { bus, received, history };
}

export function startHistoryNodes(context: CaseContext, count: number, ...topics: string[]): Promise<HistoryNode[]> {
	return Promise.all(Array.from({ length: count }, () => startHistoryNode(context, ...topics)));
}

export function historyOf(bus: Bus): HistoryStore {
	ok(bus.history, 'the bus has no history: this suite needs Bus.history');
	return bus.history;
}

/** Reads all stored messages of a topic. */
export function readAll(node: HistoryNode, topic = 't', bounds: HistoryBounds = ROOMY): Promise<HistorySlice> {
	return node.history.read(topic, { limit: ROOMY.size }, bounds);
}
