import { describe, expect, it } from 'vitest';
import {
	type BusBackend,
	busConformance,
	type ConformanceCase,
	historyConformance,
	MemoryBackend,
	presenceConformance,
} from './index.ts';

const OUTAGE = 'is degraded in an outage, with a reason, and ready after it';
const DEAD = 'has heartbeats that replace a dead connection, and lets providers report every message that it cost';
const HISTORY = 'appends and reads reject in an outage, and nothing is stored later';
const PRESENCE = 'calls reject in an outage, and nothing is applied later';
const LOST = 'after the backend has lost its data, no lease holds and a new one does';
const CLOCK = 'after the clock of the backend was set forward, leases hold';

function withoutLinks(): BusBackend {
	const memory = new MemoryBackend();
	return { createBus: () => memory.createBus(), close: () => memory.close() };
}

function named(cases: readonly ConformanceCase[], wanted: string): ConformanceCase {
	const found = cases.find(({ name }) => name === wanted);
	if (found === undefined) throw new Error(`no case is called ${wanted}`);
	return found;
}

describe.each([
	['the backend has no cut() and restore()', named(busConformance(withoutLinks), OUTAGE)],
	['the backend has no freeze()', named(busConformance(withoutLinks), DEAD)],
	[
		'the bus has no liveness',
		named(
			busConformance(() => new MemoryBackend()),
			DEAD,
		),
	],
	['the backend has no cut() and restore()', named(historyConformance(withoutLinks), HISTORY)],
	['the backend has no cut() and restore()', named(presenceConformance(withoutLinks), PRESENCE)],
	['the backend has no losePresence()', named(presenceConformance(withoutLinks), LOST)],
	['the backend has no moveClock()', named(presenceConformance(withoutLinks), CLOCK)],
])('a case that cannot be run because %s', (reason, { run }) => {
	it('ends as skipped, with that reason', async () => {
		const reasons: string[] = [];
		await run({ skip: (given) => reasons.push(given) });
		expect(reasons).toEqual([reason]);
	});

	it('fails with that reason if the test runner cannot skip', async () => {
		await expect(run()).rejects.toThrow(`skipped: ${reason}`);
	});
});

it('a case takes no parameter that a test runner would pass a callback for', () => {
	expect(busConformance(withoutLinks).every(({ run }) => run.length === 0)).toBe(true);
});

it('a backend with its own time limit fails its cases after that time', async () => {
	const { run } = named(
		busConformance(() => ({ ...withoutLinks(), timeoutMs: 50, cut() {}, restore() {} })),
		OUTAGE,
	);
	const begin = performance.now();
	await expect(run()).rejects.toThrow('waited for the status degraded');
	expect(performance.now() - begin).toBeLessThan(1_000);
});
