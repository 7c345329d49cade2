import { describe, expect, it } from 'vitest';
import { InProcWsProvider } from '../index.ts';
import type { HistoryRules } from './history-rules.ts';

describe('history rules', () => {
	it.each<[unknown, RegExp]>([
		[null, /history must be an object/],
		[['chat:*'], /history must be an object/],
		[{ 'chat *': { size: 1, ttlMs: 1 } }, /a history pattern is/],
		[{ '': { size: 1, ttlMs: 1 } }, /a history pattern is/],
		[{ 'chat:*': null }, /history\["chat:\*"\] must be an object/],
		[{ 'chat:*': { size: 0, ttlMs: 1 } }, /size must be a whole number from 1 to 100000, not 0/],
		[{ 'chat:*': { size: 1.5, ttlMs: 1 } }, /size must be a whole number/],
		[{ 'chat:*': { size: 1 } }, /ttlMs must be a whole number/],
		[{ 'chat:*': { size: 1, ttlMs: Infinity } }, /ttlMs must be a whole number/],
		[{ 'chat:*': { size: 1, ttlMs: 1, bytes: 0 } }, /bytes must be a whole number/],
		[{ 'chat:*': { size: 1, ttl: 1 } }, /has no option ttl, only size, ttlMs, bytes/],
	])('reject %j', (history, message) => {
		expect(() => new InProcWsProvider({ history: history as HistoryRules })).toThrow(message);
	});

	it('apply the first pattern that matches, literal except for *', async () => {
		const provider = new InProcWsProvider({
			history: {
				'a.b': { size: 1, ttlMs: 1_000 },
				'a*': { size: 9, ttlMs: 1_000 },
				'*:end': { size: 2, ttlMs: 1_000 },
			},
			logger: { debug() {}, info() {}, warn() {}, error() {} },
		});
		await provider.start();
		expect(['a.b', 'a', 'axb', 'x:end', 'xend', 'x:endx', 'b'].map((topic) => provider.hasHistory(topic))).toEqual([
			true,
			true,
			true,
			true,
			false,
			false,
			false,
		]);
		await provider.publish('a.b', '1');
		await provider.publish('a.b', '2');
		expect((await provider.history('a.b')).messages.length).toBe(1);
		await provider.stop();
	});
});
