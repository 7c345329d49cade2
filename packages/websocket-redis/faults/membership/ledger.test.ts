import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Ledger } from './ledger.ts';

beforeEach(() => void vi.useFakeTimers({ now: 1_000 }));
afterEach(() => void vi.useRealTimers());

it('counts what came, what was told, and what was lost in silence', () => {
	const ledger = new Ledger();
	ledger.published('t', 1, 999);
	ledger.subscribed(0, 't');
	for (let n = 2; n <= 5; n++) ledger.published('t', n, 1_000 * n);
	ledger.published('other', 6, 5_000);
	ledger.received(0, 't', 2, true);
	ledger.received(0, 't', 2, true);
	ledger.gap(0, { topic: 't', since: 3_000, until: 3_999 });
	ledger.gap(0, { topic: 'other', since: 0, until: 9_999 });
	ledger.received(0, 't', 5, true);

	expect(ledger.totals()).toEqual({
		expected: 4,
		received: 2,
		told: 1,
		silent: [{ client: 0, topic: 't', n: 4, at: 4_000 }],
		duplicates: 1,
	});
});

it('expects nothing outside of a stay, or in the last moments before a removal', () => {
	const ledger = new Ledger();
	ledger.subscribed(0, 't');
	ledger.published('t', 1, 2_000);
	vi.setSystemTime(10_000);
	ledger.published('t', 2, 9_000);
	ledger.removed(0, 't');
	ledger.published('t', 3, 11_000);
	expect(ledger.totals().silent).toEqual([{ client: 0, topic: 't', n: 1, at: 2_000 }]);

	vi.setSystemTime(12_000);
	ledger.subscribed(0, 't');
	ledger.subscribed(0, 't');
	ledger.published('t', 4, 13_000);
	expect(ledger.totals().silent.map(({ n }) => n)).toEqual([1, 4]);
});
