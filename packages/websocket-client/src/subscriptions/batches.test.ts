import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batches } from './batches.ts';

const topic = fc.string({ minLength: 1, maxLength: 256 }).map((name) => ({ topic: name }));

describe('batches', () => {
	it('have all topics, in order', () => {
		fc.assert(
			fc.property(fc.array(topic, { maxLength: 400 }), (all) => {
				expect([...batches(all)].flat()).toEqual(all);
			}),
		);
	});

	it('stay within the topics and characters of one message', () => {
		fc.assert(
			fc.property(fc.array(topic, { maxLength: 400 }), (all) => {
				for (const batch of batches(all)) {
					expect(batch.length).toBeGreaterThan(0);
					expect(batch.length).toBeLessThanOrEqual(100);
					expect(batch.length === 1 || batch.map((request) => request.topic).join('').length <= 2_000).toBe(true);
				}
			}),
		);
	});

	it('are as few as possible', () => {
		const short = Array.from({ length: 250 }, (_, index) => ({ topic: `t${index}` }));
		expect([...batches(short)].map(({ length }) => length)).toEqual([100, 100, 50]);
		const long = Array.from({ length: 9 }, () => ({ topic: 'x'.repeat(250) }));
		expect([...batches(long)].map(({ length }) => length)).toEqual([8, 1]);
		expect([...batches([])]).toEqual([]);
	});
});
