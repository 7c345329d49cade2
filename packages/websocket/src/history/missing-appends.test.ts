import { describe, expect, it } from 'vitest';
import type { HistoryStore } from './history-store.ts';
import { MemoryHistory } from './memory-history.ts';
import { type Appended, searchAppends } from './missing-appends.ts';

const ROOMY = { size: 100, bytes: 100_000, ttlMs: 60_000 };

function memory(): MemoryHistory {
	return new MemoryHistory(() => {});
}

/** Appends messages to a topic, and returns the position of the last one. */
async function append(store: HistoryStore, topic: string, count = 1, bounds = ROOMY) {
	for (let i = 0; i < count; i++) await store.append(topic, [`${i}`], bounds);
	const { epoch, last } = await store.read(topic, { limit: 0 }, bounds);
	return { epoch, offset: last };
}

const appendOf = (topic: string, position: Appended['position'], sentAt = 1, bounds = ROOMY): Appended => ({
	topic,
	bounds,
	position,
	sentAt,
});

const search = (store: HistoryStore, ...appends: readonly Appended[]) => searchAppends(store, appends, () => false);

describe('searchAppends', () => {
	it('finds what is stored, whatever came after it', async () => {
		const store = memory();
		const position = await append(store, 'a');
		expect(await search(store, appendOf('a', position, 5))).toEqual({ missing: [], provenAt: 5 });
		await append(store, 'a', 20);
		expect(await search(store, appendOf('a', position, 5))).toEqual({ missing: [], provenAt: 5 });
	});

	it('misses what an empty store, a store that has less, and another copy do not have', async () => {
		const store = memory();
		const { epoch, offset } = await append(store, 'a', 3);
		await append(store, 'b');
		const missed = { missing: ['a'], provenAt: -Infinity };
		expect(await search(memory(), appendOf('a', { epoch, offset }))).toEqual(missed);
		expect(await search(store, appendOf('a', { epoch, offset: offset + 1 }))).toEqual(missed);
		expect(await search(store, appendOf('a', { epoch, offset: offset - 1 }))).toEqual(missed);
		const b = await append(store, 'b');
		expect(await search(store, appendOf('a', { epoch: 'other', offset }, 7), appendOf('b', b, 3))).toEqual({
			missing: ['a'],
			provenAt: 3,
		});
	});

	it('takes what is absent for missing only if nothing that was sent later is found', async () => {
		const store = memory();
		const last = { ...ROOMY, size: 1 };
		const displaced = await append(store, 'price', 1, last);
		await append(store, 'price', 1, last);
		const found = await append(store, 'a');
		const price = (sentAt: number) => appendOf('price', displaced, sentAt, last);
		expect(await search(store, price(4), appendOf('a', found, 5))).toEqual({ missing: [], provenAt: 5 });
		expect(await search(store, price(6), appendOf('a', found, 5))).toEqual({ missing: ['price'], provenAt: 5 });
		const deleted = appendOf('gone', { epoch: 'earlier', offset: 1 }, 4);
		expect(await search(store, deleted, appendOf('a', found, 5))).toEqual({ missing: [], provenAt: 5 });
	});

	it('reads again until the store answers', async () => {
		const store = memory();
		const position = await append(store, 'a');
		let failures = 2;
		const flaky: HistoryStore = {
			prepare: () => store.prepare(),
			append: (...call) => store.append(...call),
			read: (...call) => (failures-- > 0 ? Promise.reject(new Error('not yet')) : store.read(...call)),
		};
		expect(await search(flaky, appendOf('a', position))).toEqual({ missing: [], provenAt: 1 });
		failures = Infinity;
		expect(await searchAppends(flaky, [appendOf('a', position)], () => true)).toMatchObject({ missing: ['a'] });
	});

	it('reads many topics', async () => {
		const store = memory();
		const appends: Appended[] = [];
		for (let i = 0; i < 250; i++) appends.push(appendOf(`t:${i}`, await append(store, `t:${i}`), i));
		expect(await search(store, ...appends)).toEqual({ missing: [], provenAt: 249 });
		expect((await search(memory(), ...appends)).missing).toHaveLength(250);
	});
});
