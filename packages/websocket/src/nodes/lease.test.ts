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
	it('begins with the first accepted beat, and lasts for ten seconds from the sending of the last one', () => {
		const { lease, generations } = createLease();
		expect([lease.generation, lease.isExpired(0)]).toEqual([0, true]);
		const before = Date.now();
		lease.start();
		expect(lease.generation).toBeGreaterThanOrEqual(before);
		expect([lease.ensure(1_000), lease.isExpired(1_000)]).toEqual([false, true]);
		lease.renewed(1_000);
		expect([lease.isExpired(11_000), lease.isExpired(11_001)]).toEqual([false, true]);
		lease.renewed(5_000);
		lease.renewed(4_000);
		expect([lease.isExpired(15_000), lease.isExpired(15_001)]).toEqual([false, true]);
		expect(lease.ensure(15_000)).toBe(false);
		expect(generations).toEqual([]);
	});

	it('is followed by another one with a later generation if the node is late, of which listeners are told', () => {
		const { lease, log, generations } = createLease();
		lease.start();
		lease.renewed(0);
		const first = lease.generation;
		lease.onNewGeneration(() => {
			throw new Error('listener');
		});
		expect(lease.ensure(10_001)).toBe(true);
		expect(lease.generation).toBeGreaterThan(first);
		expect(generations).toEqual([lease.generation]);
		expect(log.problems[0]?.details).toMatchObject({ stage: 'onLease' });
	});

	it('has one new generation for an outage, however long', () => {
		const { lease, generations } = createLease();
		lease.start();
		lease.renewed(0);
		for (let now = 500; now <= 60_000; now += 500) lease.ensure(now);
		expect(generations).toHaveLength(1);
		expect(lease.isExpired(60_000)).toBe(true);
		lease.renewed(60_500);
		expect(lease.isExpired(60_600)).toBe(false);
		expect(lease.ensure(70_600)).toBe(true);
	});

	it('has a later generation each time, even if the clock was set back', () => {
		const { lease, generations } = createLease();
		lease.start();
		for (let now = 20_000; now <= 60_000; now += 20_000) {
			lease.renewed(now - 15_000);
			lease.ensure(now);
		}
		lease.start();
		expect(new Set([...generations, lease.generation]).size).toBe(4);
		expect(lease.generation).toBe(Math.max(...generations) + 1);
	});
});
