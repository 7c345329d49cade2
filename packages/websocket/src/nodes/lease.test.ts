import { RecordingLogger } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { NodeLease } from './lease.ts';

function createLease() {
	const log = new RecordingLogger();
	const lease = new NodeLease('a', log);
	const generations: number[] = [];
	lease.onNewGeneration((generation) => generations.push(generation));
	return { lease, log, generations };
}

describe('a lease', () => {
	it('begins when the node starts, and lasts for ten seconds from the last accepted beat', () => {
		const { lease, generations } = createLease();
		expect([lease.generation, lease.isExpired(0)]).toEqual([0, true]);
		const before = Date.now();
		lease.start(1_000);
		expect(lease.generation).toBeGreaterThanOrEqual(before);
		expect([lease.isExpired(11_000), lease.isExpired(11_001)]).toEqual([false, true]);
		lease.renewed(5_000);
		lease.renewed(4_000);
		expect([lease.isExpired(15_000), lease.isExpired(15_001)]).toEqual([false, true]);
		expect(lease.ensure(15_000)).toBe(false);
		expect(generations).toEqual([]);
	});

	it('is followed by another one with a later generation if the node is late, of which listeners are told', () => {
		const { lease, log, generations } = createLease();
		lease.start(0);
		const first = lease.generation;
		lease.onNewGeneration(() => {
			throw new Error('listener');
		});
		expect(lease.ensure(10_001)).toBe(true);
		expect(lease.generation).toBeGreaterThan(first);
		expect(generations).toEqual([lease.generation]);
		expect(lease.ensure(20_001)).toBe(false);
		expect(log.problems[0]?.details).toMatchObject({ stage: 'onLease' });
	});

	it('has a later generation each time, even if the clock was set back', () => {
		const { lease, generations } = createLease();
		lease.start(0);
		for (let i = 1; i <= 3; i++) lease.ensure(i * 20_000);
		lease.start(100_000);
		expect(new Set([...generations, lease.generation]).size).toBe(4);
		expect(lease.generation).toBe(Math.max(...generations) + 1);
	});
});
