import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type HistoryBounds, type HistorySlice, IDEMPOTENCY_MS, rememberedMs } from './history-store.ts';
import { MemoryHistory } from './memory-history.ts';
import { startsAfter } from './provisional-epoch.ts';

const bounds: HistoryBounds = { size: 100, bytes: 10_000, ttlMs: 60_000 };

/** Long enough for every topic to have been swept, in milliseconds. */
const ROUND_MS = 31_000;

function recorded(): { history: MemoryHistory; slices: [string, HistorySlice][] } {
	const slices: [string, HistorySlice][] = [];
	return { history: new MemoryHistory((topic, slice) => slices.push([topic, slice])), slices };
}

it('passes the slice on before append returns', () => {
	const { history, slices } = recorded();
	void history.append('t', ['a', 'b'], bounds);

	expect(slices).toHaveLength(1);
	expect(slices[0]?.[1].entries.map(({ content }) => content)).toEqual(['a', 'b']);
	history.close();
});

it('copies a Buffer as well, whose slice would share its memory', async () => {
	const { history } = recorded();
	const buffer = Buffer.from('abc');
	await history.append('t', [buffer], bounds);
	buffer.fill(0);

	const { entries } = await history.read('t', { limit: 1 }, bounds);
	expect(entries[0]?.content).toEqual(new TextEncoder().encode('abc'));
	history.close();
});

describe('by itself', () => {
	beforeEach(() => void vi.useFakeTimers());
	afterEach(() => void vi.useRealTimers());

	it('removes expired messages of topics that are not used any more', async () => {
		const { history } = recorded();
		for (let i = 0; i < 20_000; i++) await history.append(`t${i}`, ['x', 'y'], bounds);
		vi.advanceTimersByTime(bounds.ttlMs);
		expect(history.size()).toEqual({ topics: 20_000, messages: 40_000 });
		vi.advanceTimersByTime(ROUND_MS);

		expect(history.size()).toEqual({ topics: 20_000, messages: 0 });
		history.close();
	});

	it('forgets topics long after their last append or read, and not before', async () => {
		const { history } = recorded();
		await history.append('appended', ['x'], bounds);
		await history.append('read', ['x'], bounds);
		const { epoch } = await history.read('read', { limit: 0 }, bounds);
		vi.advanceTimersByTime(rememberedMs(bounds) - 1);
		await history.append('appended', ['x'], bounds);
		expect((await history.read('read', { limit: 0 }, bounds)).epoch).toBe(epoch);
		vi.advanceTimersByTime(rememberedMs(bounds) - 1);
		expect(history.size().topics).toBe(2);
		vi.advanceTimersByTime(ROUND_MS);

		expect(history.size().topics).toBe(0);
		expect((await history.read('read', { limit: 0 }, bounds)).epoch).not.toBe(epoch);
		history.close();
	});

	it('keeps nothing for topics that are only read', async () => {
		const { history } = recorded();
		for (let i = 0; i < 1_000; i++) await history.read(`t${i}`, { limit: 10 }, bounds);
		expect(history.size()).toEqual({ topics: 0, messages: 0 });
		expect(vi.getTimerCount()).toBe(0);
	});

	it('continues a provisional epoch until a topic that began after it has been forgotten', async () => {
		const { history } = recorded();
		const read = (topic: string): Promise<HistorySlice> => history.read(topic, { limit: 0 }, bounds);
		const before = await read('t');
		await history.append('other', ['x'], bounds);
		const after = await read('t');
		vi.advanceTimersByTime(rememberedMs(bounds) - 1);
		expect(startsAfter((await read('t')).epoch, (await read('t')).beginning, before.epoch)).toBe(true);
		vi.advanceTimersByTime(ROUND_MS);
		expect(history.size().topics).toBe(0);

		// The forgotten topic might have been this one.
		for (const slice of [await read('t'), await history.append('t', ['x'], bounds).then(() => read('t'))]) {
			expect(startsAfter(slice.epoch, slice.beginning, before.epoch)).toBe(false);
			expect(startsAfter(slice.epoch, slice.beginning, after.epoch)).toBe(true);
		}
		history.close();
	});

	it('does not continue a provisional epoch across forgotten messages', async () => {
		const { history } = recorded();
		const { epoch } = await history.read('t', { limit: 0 }, bounds);
		await history.append('t', ['missed'], bounds);
		vi.advanceTimersByTime(rememberedMs(bounds) + ROUND_MS);
		const forgotten = await history.read('t', { after: 0, limit: 10 }, bounds);
		expect(startsAfter(forgotten.epoch, forgotten.beginning, epoch)).toBe(false);
		await history.append('t', ['new'], bounds);
		const again = await history.read('t', { after: 0, limit: 10 }, bounds);
		expect(startsAfter(again.epoch, again.beginning, epoch)).toBe(false);
		expect(startsAfter(again.epoch, again.beginning, forgotten.epoch)).toBe(true);
		history.close();
	});

	it('keeps messages for as long as the bounds of the last call demand', async () => {
		const { history } = recorded();
		const long = { ...bounds, ttlMs: 7 * 24 * 60 * 60_000 };
		await history.append('t', ['x'], bounds);
		await history.read('t', { limit: 0 }, long);
		vi.advanceTimersByTime(long.ttlMs);
		expect(history.size()).toEqual({ topics: 1, messages: 1 });
		vi.advanceTimersByTime(long.ttlMs + ROUND_MS);

		expect(history.size()).toEqual({ topics: 0, messages: 0 });
	});

	it('has one timer for all topics, while there are any', async () => {
		const { history } = recorded();
		expect(vi.getTimerCount()).toBe(0);
		await history.append('t', ['x'], bounds);
		await history.append('u', ['x'], bounds);
		expect(vi.getTimerCount()).toBe(1);
		vi.advanceTimersByTime(rememberedMs(bounds) + ROUND_MS);

		expect(vi.getTimerCount()).toBe(0);
	});

	it('has no timer after close, until it is used again', async () => {
		const { history } = recorded();
		await history.append('t', ['x'], bounds);
		history.close();
		history.close();
		expect(vi.getTimerCount()).toBe(0);
		expect((await history.read('t', { limit: 1 }, bounds)).entries).toHaveLength(1);
		expect(vi.getTimerCount()).toBe(1);

		vi.advanceTimersByTime(bounds.ttlMs + ROUND_MS);
		expect(history.size().messages).toBe(0);
		history.close();
	});

	it('accepts a key again once it has expired, and not before', async () => {
		const { history, slices } = recorded();
		const append = (): Promise<void> => history.append('t', ['x'], bounds, 'key');
		await append();
		vi.advanceTimersByTime(IDEMPOTENCY_MS - 1);
		await append();
		expect(slices).toHaveLength(1);
		vi.advanceTimersByTime(1);
		await append();

		expect(slices).toHaveLength(2);
		history.close();
	});
});
