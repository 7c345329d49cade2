import { until } from '@orijs/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { BeatStore, Bus } from '../bus.ts';
import { MemoryBackend } from '../testing/index.ts';
import { decodeFrame } from '../wire/frame.ts';
import { WsProvider } from '../ws-provider.ts';
import { sleep } from '../support/promises.ts';

const NODES = 40;
const HEARTBEAT_MS = 100;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** Frames that one node has received, and calls that it has made. */
interface Traffic {
	received: Record<string, number>;
	lists: number;
	hellos: number;
	/** Whether its last beat was collected. */
	isCollected: boolean;
}

/** Counts what passes through a bus. */
function counted(bus: Bus): { readonly bus: Bus; readonly traffic: Traffic } {
	const traffic: Traffic = { received: {}, lists: 0, hellos: 0, isCollected: false };
	const { liveness } = bus;
	const beats = liveness?.beats;
	if (liveness === undefined || beats === undefined) throw new Error('the bus collects no beats');
	const store: BeatStore = {
		...beats,
		beat(channel, beat) {
			traffic.isCollected = beat.channel !== channel;
			return beats.beat(channel, beat);
		},
		list() {
			traffic.lists++;
			return beats.list();
		},
	};
	return {
		traffic,
		bus: {
			...bus,
			liveness: { ...liveness, beats: store },
			start: (handlers) =>
				bus.start({
					...handlers,
					deliver: (channel, bytes) => {
						const frame = decodeFrame(bytes, 0);
						const type = typeof frame === 'string' ? frame : frame.type;
						traffic.received[type] = (traffic.received[type] ?? 0) + 1;
						handlers.deliver(channel, bytes);
					},
				}),
			publish: (channel, frame) => {
				if (frame[1] === 5) traffic.hellos++;
				return bus.publish(channel, frame);
			},
		},
	};
}

async function startAll(collectBeatsAbove: number) {
	const backend = new MemoryBackend({ liveness: true });
	const all = Array.from({ length: NODES }, () => {
		const { bus, traffic } = counted(backend.createBus());
		const provider = new WsProvider({ bus, logger: SILENT, heartbeatMs: HEARTBEAT_MS, collectBeatsAbove });
		onTestFinished(() => provider.stop());
		return { provider, traffic };
	});
	await Promise.all(all.map(({ provider }) => provider.start()));
	await until(() => all.every(({ provider }) => provider.cluster.nodes().length === NODES), {
		what: 'all nodes know each other',
		timeoutMs: 10_000,
	});
	return all;
}

/** Whether a backend still collects beats. */
interface Refusable {
	isRefused: boolean;
}

/** A bus whose backend refuses to collect beats from some time on. */
function refusable(bus: Bus, state: Refusable): Bus {
	const { liveness } = bus;
	if (liveness === undefined) throw new Error('the bus has no liveness');
	return {
		...bus,
		liveness: {
			...liveness,
			get beats() {
				return state.isRefused ? undefined : liveness.beats;
			},
		},
	};
}

it('nodes whose backend no longer collects beats go on without', async () => {
	const backend = new MemoryBackend({ liveness: true });
	const state = { isRefused: false };
	const options = { logger: SILENT, heartbeatMs: HEARTBEAT_MS, collectBeatsAbove: 1 };
	const [a, b] = [0, 1].map(() => {
		const { bus, traffic } = counted(backend.createBus());
		const provider = new WsProvider({ ...options, bus: refusable(bus, state) });
		onTestFinished(() => provider.stop());
		return { provider, traffic };
	}) as [{ provider: WsProvider; traffic: Traffic }, { provider: WsProvider; traffic: Traffic }];
	const left: unknown[] = [];
	a.provider.cluster.onNodesChange((change) => left.push(...change.left));
	await Promise.all([a, b].map(({ provider }) => provider.start()));
	await until(() => a.traffic.isCollected && b.traffic.isCollected, { what: 'beats are collected' });
	state.isRefused = true;
	a.traffic.received = {};
	await until(() => (a.traffic.received['beat'] ?? 0) > 40, { what: 'beats of both arrive' });
	// What was published before the first of them that arrived is accounted for by a digest, or a gap after 10 s.
	await until(() => a.provider.watermark().lagMs < 1_000, { what: 'all is accounted for', timeoutMs: 15_000 });
	expect(a.provider.watermark().isLagging).toBe(false);
	expect(a.provider.cluster.nodes()).toHaveLength(2);
	expect(left).toEqual([]);
}, 30_000);

it('a node that has just started, or was interrupted, soon has a digest of all nodes, though they are every 5 s', async () => {
	const backend = new MemoryBackend({ liveness: true });
	const open = async () => {
		const inner = backend.createBus();
		const { bus, traffic } = counted(inner);
		const options = { logger: SILENT, heartbeatMs: HEARTBEAT_MS, collectBeatsAbove: 1 };
		const provider = new WsProvider({ ...options, bus });
		onTestFinished(() => provider.stop());
		await provider.start();
		return { provider, traffic, bus: inner };
	};
	const [a, b] = [await open(), await open()];
	await until(() => a.traffic.isCollected && b.traffic.isCollected, { what: 'beats are collected' });
	await until(() => a.provider.watermark().lagMs > 1_000, { what: 'the next digest is not due' });
	const c = await open();
	// The first is its own, the other one comes from a node that knew others before.
	await until(() => (c.traffic.received['digest'] ?? 0) >= 2, { what: 'digests arrive', timeoutMs: 3_000 });
	await until(() => a.provider.watermark().lagMs < 1_000, { what: 'a knows as much', timeoutMs: 3_000 });

	await until(() => a.provider.watermark().lagMs > 1_000, { what: 'the next digest is not due' });
	backend.cut(b.bus);
	expect(b.provider.status).toBe('degraded');
	backend.restore(b.bus);
	await until(() => b.provider.status === 'ready', { what: 'b is connected again' });
	b.traffic.received = {};
	await until(() => (b.traffic.received['digest'] ?? 0) >= 1, { what: 'a digest arrives', timeoutMs: 3_000 });
}, 30_000);

describe(`${NODES} nodes that start at once`, () => {
	it('say once who they are, read once who the others are, and send no more beats than later', async () => {
		const all = await startAll(4);
		await sleep(1_000);
		for (const { traffic } of all) {
			expect(traffic.hellos).toBe(1);
			expect(traffic.lists).toBeLessThanOrEqual(2);
		}
	}, 20_000);

	it('receive their own beats and few digests, whatever the number of nodes', async () => {
		const all = await startAll(4);
		await until(() => all.every(({ traffic }) => traffic.isCollected), { what: 'beats are collected' });
		for (const { traffic } of all) traffic.received = {};
		const since = performance.now();
		await sleep(3_000);
		const seconds = (performance.now() - since) / 1_000;
		for (const { traffic } of all) {
			expect(traffic.received['beat']).toBeLessThanOrEqual((seconds * 1_000) / HEARTBEAT_MS + 15);
			expect(traffic.received['digest'] ?? 0).toBeLessThanOrEqual(3);
		}
	}, 30_000);
});

it('a node that joins many causes few digests', async () => {
	const backend = new MemoryBackend({ liveness: true });
	const open = async () => {
		const { bus, traffic } = counted(backend.createBus());
		const provider = new WsProvider({ bus, logger: SILENT, collectBeatsAbove: 1 });
		onTestFinished(() => provider.stop());
		await provider.start();
		return { provider, traffic };
	};
	const all: Awaited<ReturnType<typeof open>>[] = [];
	// Their beats are spread over the time between two.
	for (let i = 0; i < 20; i++) {
		all.push(await open());
		await sleep(25);
	}
	const [observer] = all;
	await until(() => all.every(({ traffic }) => traffic.isCollected), { what: 'beats are collected' });
	await sleep(2_000);
	for (let i = 0; i < 2; i++) {
		if (observer) observer.traffic.received = {};
		const { traffic } = await open();
		await sleep(1_500);
		expect(traffic.received['digest']).toBeGreaterThanOrEqual(2);
		// Of the new node, of all nodes for it, and a regular one.
		expect(observer?.traffic.received['digest']).toBeLessThanOrEqual(7);
	}
}, 30_000);
