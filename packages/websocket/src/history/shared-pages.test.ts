import { until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import type { HistoryQuery, HistorySlice, HistoryStore } from './history-store.ts';
import { MemoryHistory } from './memory-history.ts';
import { SharedPages } from './shared-pages.ts';

const BOUNDS = { size: 100, bytes: 1_000_000, ttlMs: 60_000 };

/** A store whose reads wait until they are released, or fail. */
class HeldStore extends MemoryHistory {
	readonly held: (() => void)[] = [];
	reads = 0;
	failure: Error | undefined;
	isHolding = true;

	constructor() {
		super(() => {});
	}

	override async read(topic: string, query: HistoryQuery, bounds: typeof BOUNDS): Promise<HistorySlice> {
		this.reads++;
		if (this.isHolding) await new Promise<void>((resolve) => this.held.push(resolve));
		if (this.failure !== undefined) throw this.failure;
		return super.read(topic, query, bounds);
	}

	release(): void {
		for (const resolve of this.held.splice(0)) resolve();
	}
}

function pagesOf(store: HistoryStore): { readonly pages: SharedPages; readonly errors: string[] } {
	const errors: string[] = [];
	return { pages: new SharedPages({ store, onError: ({ message }) => errors.push(message) }), errors };
}

describe('pages for clients', () => {
	it('are read once for all that request the same one at the same time, and again later', async () => {
		const store = new HeldStore();
		const { pages } = pagesOf(store);
		await store.append('t', ['{"data":1}'], BOUNDS);
		const all = Array.from({ length: 1_000 }, () => pages.read('t', BOUNDS, { limit: 10 }));
		const other = pages.read('t', BOUNDS, { limit: 11 });
		await until(() => store.held.length > 0, { what: 'the reads begin' });
		expect(store.reads).toBe(2);
		store.release();
		const results = await Promise.all([...all, other]);
		expect(new Set(results.slice(0, -1)).size).toBe(1);
		const later = pages.read('t', BOUNDS, { limit: 10 });
		await until(() => store.reads === 3, { what: 'it is read again' });
		store.release();
		expect(await later).toEqual(results[0]);
	});

	it('that differ only in how they are positioned are different pages', async () => {
		const store = new HeldStore();
		const { pages } = pagesOf(store);
		const at = { epoch: 'e', offset: 1 };
		const queries = [{}, { since: at }, { before: at }, { upTo: at }, { upTo: { ...at, epoch: 'f' } }, { bytes: 7 }];
		const all = queries.map((query) => pages.read('t', BOUNDS, { limit: 10, ...query }));
		await until(() => store.reads === queries.length, { what: 'each is read' });
		store.release();
		await Promise.all(all);
	});

	it('are read eight at a time', async () => {
		const store = new HeldStore();
		const { pages } = pagesOf(store);
		const all = Promise.all(Array.from({ length: 20 }, (_, i) => pages.read(`t${i}`, BOUNDS, { limit: 1 })));
		for (const reads of [8, 16, 20]) {
			await until(() => store.reads === reads, { what: `${reads} reads have begun` });
			expect(store.held.length).toBe(reads === 20 ? 4 : 8);
			store.release();
		}
		expect((await all).length).toBe(20);
	});

	it('are read again after a failure, and rejected after two seconds', async () => {
		const store = new HeldStore();
		store.isHolding = false;
		const { pages, errors } = pagesOf(store);
		store.failure = new Error('out of reach');
		const rejected = expect(pages.read('t', BOUNDS, { limit: 1 })).rejects.toMatchObject({
			name: 'HistoryUnavailableError',
			cause: store.failure,
		});
		await until(() => store.reads > 2, { what: 'the read is repeated' });
		await rejected;
		const before = store.reads;
		const recovered = pages.read('t', BOUNDS, { limit: 1 });
		await until(() => store.reads > before, { what: 'it fails once' });
		store.failure = undefined;
		expect(await recovered).toMatchObject({ messages: '[]', recovered: true });
		expect(errors).toEqual(['out of reach']);
	});

	it('of a store that does not answer are rejected after two seconds, and then others are read', async () => {
		const store = new HeldStore();
		const { pages, errors } = pagesOf(store);
		const all = Array.from({ length: 9 }, (_, i) => pages.read(`t${i}`, BOUNDS, { limit: 1 }));
		const outcomes = await Promise.allSettled(all);
		expect(outcomes.map(({ status }) => status)).toEqual(outcomes.map(() => 'rejected'));
		expect(new Set(errors)).toEqual(new Set(['no answer within 2000 ms', '8 other pages were being read for 2000 ms']));
		store.isHolding = false;
		expect(await pages.read('t', BOUNDS, { limit: 1 })).toMatchObject({ messages: '[]' });
	});

	it('contain stored text as it is, and bytes as base64', async () => {
		const store = new MemoryHistory(() => {});
		const { pages } = pagesOf(store);
		await store.append('t', ['{"name":"a","data":"\\u00e9\u2028"}', Uint8Array.of(0, 255, 1)], BOUNDS);
		const { messages, epoch, offset } = await pages.read('t', BOUNDS, { limit: 10 });
		const [first, second] = JSON.parse(messages) as Record<string, unknown>[];
		expect(messages).toContain('"data":"\\u00e9\u2028"');
		expect(first).toMatchObject({ name: 'a', data: 'é\u2028', position: { epoch, prev: 0 } });
		expect(second).toMatchObject({ name: '@bytes', data: 'AP8B', topic: 't', position: { epoch, offset } });
	});
});
