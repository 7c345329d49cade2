import { until } from '@orijs/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Bus } from '../bus.ts';
import type { PresenceLease, PresenceState, PresenceStore } from '../presence/presence-store.ts';
import { encodePresenceHeader } from '../wire/frame.ts';
import { BusRecorder } from './bus-recorder.ts';
import { MemoryBackend, presenceConformance } from './index.ts';

describe('the presence of the in-memory bus', () => {
	for (const { name, run } of presenceConformance(() => new MemoryBackend())) it(name, run);
});

interface Node {
	readonly bus: Bus;
	readonly presence: PresenceStore;
	/** How many times it has noticed that data was lost. */
	readonly losses: () => number;
	put(key: string): Promise<PresenceState>;
}

async function startNode(backend: MemoryBackend): Promise<Node> {
	const bus = backend.createBus();
	await bus.start(new BusRecorder());
	onTestFinished(() => bus.stop());
	const presence = bus.presence as PresenceStore;
	let losses = 0;
	presence.onLost((isAffected) => {
		if (isAffected('t')) losses++;
	});
	const lease: PresenceLease = { nodeId: crypto.randomUUID(), generation: 1 };
	await presence.renew(lease, 60_000, true);
	const header = encodePresenceHeader({ origin: 1, shard: 0, incarnation: 0 });
	return {
		bus,
		presence,
		losses: () => losses,
		put: (key) =>
			presence.apply('t', {
				lease,
				header,
				ops: [{ kind: 'put', key, connections: 1, ageMs: 0, info: undefined }],
				membersUpTo: 100,
			}),
	};
}

describe('a backend in memory that loses what it knows of presence', () => {
	it('tells its buses, each when it can be reached', async () => {
		const backend = new MemoryBackend();
		const [a, b] = [await startNode(backend), await startNode(backend)];
		await a.put('k');
		backend.cut(b.bus);
		backend.losePresence();
		await until(() => a.losses() === 1, { what: 'the first bus notices' });
		expect(b.losses()).toBe(0);
		backend.restore(b.bus);
		await until(() => b.losses() === 1, { what: 'the second bus notices' });
		expect((await a.presence.count('t')).count).toBe(0);
		expect([a.losses(), b.losses()]).toEqual([1, 1]);
	});

	it('tells a bus that was stopped meanwhile', async () => {
		const backend = new MemoryBackend();
		const { bus, losses } = await startNode(backend);
		await bus.stop();
		backend.losePresence();
		await bus.start(new BusRecorder());
		expect(losses()).toBe(1);
	});
});

describe('a bus in memory whose link is frozen', () => {
	it('gets no answer, and what it asked for never happens', async () => {
		const backend = new MemoryBackend({ liveness: true });
		const [a, b] = [await startNode(backend), await startNode(backend)];
		backend.freeze(b.bus);
		const calls = [b.put('lost'), b.presence.count('t')];
		const outcomes = Promise.allSettled(calls);
		await a.put('k');
		expect((await a.presence.count('t')).count).toBe(1);
		backend.cut(b.bus);
		expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
		backend.restore(b.bus);
		await until(
			() =>
				b.put('k').then(
					() => true,
					() => false,
				),
			{ what: 'the bus has recovered' },
		);
		expect((await a.presence.count('t')).count).toBe(1);
	});
});
