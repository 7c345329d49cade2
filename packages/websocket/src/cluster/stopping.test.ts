import { describe, expect, it } from 'vitest';
import { ProviderNotStartedError, ProviderStoppedError, SocketMessage } from '../index.ts';
import type { Cluster } from '../index.ts';
import { MemoryBackend } from '../testing/index.ts';
import { openCluster, openPair } from '../test-support/open-nodes.ts';
import { schema } from '../test-support/schemas.ts';
import { openNode, type TestNode } from '../test-support/test-node.ts';
import { watchUnhandledRejections } from '../test-support/unhandled-rejections.ts';
import { WatchedBus } from '../test-support/watched-bus.ts';

const any = schema<unknown>((value) => ({ value }));
const Ask = SocketMessage.define({ name: 'ask', data: any, reply: any });

/** Calls everything that returns a promise. */
function callsOf(cluster: Cluster): Promise<unknown>[] {
	return [
		cluster.disconnect('all'),
		cluster.subscribe('all', 't'),
		cluster.unsubscribe('all', 't'),
		cluster.reauthorize('all'),
		cluster.connections('all'),
		cluster.connectionCount(),
		cluster.subscriberCount('t'),
		cluster.emit(Ask, 1),
		cluster.request(Ask, 1, { to: 'all' }),
	];
}

describe.each([
	['with a bus', () => ({ bus: new MemoryBackend().createBus() })],
	['without a bus', () => ({})],
])('%s', (_, options) => {
	it('calls are refused before the start and after the stop', async () => {
		const node = await openNode({ start: false, ...options() });
		const { cluster } = node.provider;
		for (const call of callsOf(cluster)) await expect(call).rejects.toThrow(ProviderNotStartedError);
		await node.provider.start();
		await Promise.all(callsOf(cluster));
		await node.provider.stop();
		for (const call of callsOf(cluster)) await expect(call).rejects.toThrow(ProviderStoppedError);
		expect(cluster.nodes()).toHaveLength(1);

		await node.provider.start();
		expect(await cluster.subscribe('all', 't')).toMatchObject({ nodes: 1, answered: 1, sockets: 0 });
	});
});

describe('a stop', () => {
	it('ends pending calls: they name the nodes that have not answered', async () => {
		const [here, there] = await openPair();
		const never = (): Promise<never> => new Promise(() => {});
		for (const { provider } of [here, there]) {
			provider.cluster.on(Ask, never);
			provider.onReauthorize(never);
		}
		const ids = [here.provider.nodeId, there.provider.nodeId];
		const { cluster } = here.provider;
		const pending = [
			cluster.reauthorize('all', undefined, { timeoutMs: 60_000 }),
			cluster.request(Ask, 1, { to: ids, timeoutMs: 60_000 }),
		];
		await here.provider.stop();
		const [reauthorized, requested] = await Promise.all(pending);

		expect(reauthorized).toMatchObject({ answered: 0, unanswered: expect.arrayContaining([ids[0]]) });
		expect(requested).toMatchObject({ nodes: 2, answered: 0, unanswered: ids });
	});

	it('refuses messages that are still being validated: nothing is sent', async () => {
		const [here, there] = await openPair();
		const validating = Promise.withResolvers<void>();
		const slow = schema<unknown>(async (value) => {
			await validating.promise;
			return { value };
		});
		const Slow = SocketMessage.define({ name: 'ask', data: slow, reply: any });
		const received: unknown[] = [];
		there.provider.cluster.on(Ask, (data) => void received.push(data));
		const calls = [here.provider.cluster.emit(Slow, 1), here.provider.cluster.request(Slow, 2)];
		const stopping = here.provider.stop();
		validating.resolve();
		for (const call of calls) await expect(call).rejects.toThrow(ProviderStoppedError);
		await stopping;

		expect(received).toEqual([]);
	});

	it('is no failure, although an answer can no longer be sent', async () => {
		const [here, there] = await openPair();
		const answered = Promise.withResolvers<number>();
		there.provider.cluster.on(Ask, () => answered.promise);
		const asking = here.provider.cluster.request(Ask, 1);
		await here.provider.cluster.subscriberCount('t'); // so it has been asked
		const stopping = there.provider.stop();
		answered.resolve(1);
		await stopping;

		expect((await asking).answers.size).toBe(0);
		expect(there.log.problems).toEqual([]);
	});

	it('of another node ends nothing: the others answer, and it is met again after its start', async () => {
		const { nodes } = await openCluster(3);
		const [a, b, c] = nodes as [TestNode, TestNode, TestNode];
		await b.provider.stop();
		expect(await a.provider.cluster.subscribe('all', 't')).toMatchObject({ nodes: 2, answered: 2 });
		await b.provider.start();

		expect(await c.provider.cluster.subscribe('all', 't')).toMatchObject({ nodes: 3, answered: 3 });
	});
});

describe('ignored promises', () => {
	it('cause no unhandled rejection, whatever happens', async () => {
		const unhandled = watchUnhandledRejections();
		const bus = new WatchedBus(new MemoryBackend().createBus());
		const node = await openNode({ bus, start: false });
		void callsOf(node.provider.cluster);
		await node.provider.start();
		bus.publishFault = new Error('no way through');
		void callsOf(node.provider.cluster);
		await Promise.allSettled(callsOf(node.provider.cluster));
		void callsOf(node.provider.cluster);
		await node.provider.stop();
		void callsOf(node.provider.cluster);

		expect(await unhandled.seen()).toEqual([]);
	});
});

describe('while the backend is away', () => {
	it('actions are done here at once, also if the backend has not accepted them', async () => {
		const bus = new WatchedBus(new MemoryBackend().createBus());
		const node = await openNode({ bus });
		const member = await node.connect({ topics: new Set(['t']) });
		bus.publishFault = new Error('no way through');
		const { cluster } = node.provider;

		expect(await cluster.unsubscribe('all', 't')).toMatchObject({ nodes: 2, answered: 1, sockets: 1 });
		expect(await cluster.disconnect('all')).toMatchObject({ sockets: 1 });
		await member.client.closed;
	});

	it('a subscription that is not confirmed in time is not counted', async () => {
		const bus = new WatchedBus(new MemoryBackend().createBus());
		const node = await openNode({ bus });
		await node.connect({ topics: new Set(['known']) });
		const release = bus.hang();
		const { cluster } = node.provider;
		const started = performance.now();
		const [unknown, known] = await Promise.all([
			cluster.subscribe('all', 't', { timeoutMs: 200 }),
			cluster.subscribe('all', 'known', { timeoutMs: 200 }),
		]);
		expect(performance.now() - started).toBeLessThan(1_000);
		release();

		expect([unknown.sockets, known.sockets]).toEqual([0, 1]);
	});

	it('a subscription that the backend refuses is not counted', async () => {
		const bus = new WatchedBus(new MemoryBackend().createBus());
		const node = await openNode({ bus });
		const member = await node.connect();
		bus.refused.add('t');

		expect(await node.provider.cluster.subscribe('all', 't')).toMatchObject({ answered: 1, sockets: 0 });
		expect(member.ws.data.topics.size).toBe(0);
	});
});
