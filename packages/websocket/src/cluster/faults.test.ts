import { until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import type { Bus, NodesChange } from '../index.ts';
import { openCluster, type TestCluster } from '../test-support/open-nodes.ts';
import { openNode, type TestNode } from '../test-support/test-node.ts';

interface Three extends TestCluster {
	readonly a: TestNode;
	readonly b: TestNode;
	readonly c: TestNode;
	/** The bus of `c`. */
	readonly busOfC: Bus;
}

/** Opens three nodes that know each other. */
async function openThree(): Promise<Three> {
	const cluster = await openCluster(3);
	const [a, b, c] = cluster.nodes as [TestNode, TestNode, TestNode];
	for (const { provider } of cluster.nodes)
		await until(() => provider.cluster.nodes().length === 3, { what: 'the nodes know each other' });
	return { ...cluster, a, b, c, busOfC: cluster.buses[2] as Bus };
}

const idOf = ({ provider }: TestNode): string => provider.nodeId;

/** Resolves with a call's result and how long it took, in milliseconds. */
async function timed<T>(call: Promise<T>): Promise<readonly [T, number]> {
	const started = performance.now();
	return [await call, performance.now() - started];
}

describe('a node that does not answer', () => {
	it('is named when the time is over, also before it counts as silent', async () => {
		const { backend, a, b, c, busOfC } = await openThree();
		const [there, away] = [await b.connect(), await c.connect()];
		backend.freeze(busOfC);
		const [result, ms] = await timed(a.provider.cluster.subscribe('all', 't', { timeoutMs: 300 }));

		expect(result).toEqual({ nodes: 3, answered: 2, unanswered: [idOf(c)], sockets: 1 });
		expect(ms).toBeGreaterThan(250);
		expect(ms).toBeLessThan(2_000);
		expect([there.ws.data.topics.has('t'), away.ws.data.topics.has('t')]).toEqual([true, false]);
	});

	it('is no longer waited for once it has fallen silent, but still named', async () => {
		const { backend, a, c, busOfC } = await openThree();
		const changes: NodesChange[] = [];
		a.provider.cluster.onNodesChange((change) => void changes.push(change));
		backend.cut(busOfC);
		const [first, waitedMs] = await timed(a.provider.cluster.disconnect('all', { timeoutMs: 60_000 }));
		expect(first).toMatchObject({ nodes: 3, answered: 2, unanswered: [idOf(c)] });
		expect(waitedMs).toBeLessThan(10_000);
		expect(changes.flatMap(({ left }) => left)).toContainEqual(expect.objectContaining({ id: idOf(c), why: 'silent' }));
		expect(a.provider.cluster.nodes().map(({ id }) => id)).not.toContain(idOf(c));

		const [second, ms] = await timed(a.provider.cluster.disconnect('all', { timeoutMs: 60_000 }));
		expect(second).toMatchObject({ nodes: 3, answered: 2, unanswered: [idOf(c)] });
		expect(ms).toBeLessThan(3_000);
	}, 20_000);

	it('answers again when it is back', async () => {
		const { backend, a, c, busOfC } = await openThree();
		backend.cut(busOfC);
		await until(() => a.provider.cluster.nodes().length === 2, { what: 'it is silent', timeoutMs: 10_000 });
		backend.restore(busOfC);
		await until(() => a.provider.cluster.nodes().length === 3, { what: 'it is back', timeoutMs: 10_000 });
		await until(() => c.provider.status === 'ready', { what: 'it is ready' });

		expect(await a.provider.cluster.subscribe('all', 't')).toMatchObject({ nodes: 3, answered: 3, unanswered: [] });
	}, 30_000);

	it('is named by the node that is cut off itself, which acts on its own sockets', async () => {
		const { backend, a, b, c, busOfC } = await openThree();
		const [own, other] = [await c.connect(), await a.connect()];
		backend.cut(busOfC);
		const [result, ms] = await timed(c.provider.cluster.disconnect('all', { timeoutMs: 1_000 }));

		expect(result).toMatchObject({ nodes: 3, answered: 1, sockets: 1 });
		expect([...result.unanswered].toSorted()).toEqual([idOf(a), idOf(b)].toSorted());
		expect(ms).toBeLessThan(3_000);
		expect([c.provider.isConnected(own.id), a.provider.isConnected(other.id)]).toEqual([false, true]);
	});

	it('is not taken to be there alone, if it has come while the asking one was cut off', async () => {
		const { backend, nodes, buses } = await openCluster(1);
		const { cluster } = (nodes[0] as TestNode).provider;
		await until(async () => !(await cluster.connectionCount()).isPartial, { what: 'it knows that it is alone' });
		backend.cut(buses[0] as Bus);
		const late = await openNode({ bus: backend.createBus(), heartbeatMs: 100 });
		const unmet = await late.connect({ userId: '42' });

		const partial = { nodes: 2, answered: 1, unanswered: [] };
		expect(await cluster.disconnect({ userId: '42' }, { timeoutMs: 500 })).toEqual({ ...partial, sockets: 0 });
		const count = { ...partial, count: 0, isPartial: true };
		expect(await cluster.connectionCount({ timeoutMs: 500 })).toEqual(count);
		expect(await cluster.subscriberCount('t', { timeoutMs: 500 })).toEqual(count);
		expect(late.provider.isConnected(unmet.id)).toBe(true);
	});

	it('is named by a node that starts later', async () => {
		const { backend, c, busOfC } = await openThree();
		backend.cut(busOfC);
		const late = await openNode({ bus: backend.createBus(), heartbeatMs: 100 });
		await until(() => late.provider.cluster.nodes().length === 3, { what: 'it knows the others', timeoutMs: 10_000 });
		const result = await late.provider.cluster.subscribe('all', 't', { timeoutMs: 500 });

		expect(result).toMatchObject({ nodes: 4, answered: 3, unanswered: [idOf(c)] });
	}, 20_000);
});

describe('a node that stops', () => {
	it('is no longer expected, while it is asked and afterwards', async () => {
		const { a, b, c } = await openThree();
		c.provider.onReauthorize(() => new Promise(() => {}));
		const asking = timed(a.provider.cluster.reauthorize('all', undefined, { timeoutMs: 60_000 }));
		await until(() => true, { what: 'asked' });
		await c.provider.stop();
		const [result, ms] = await asking;
		expect(result).toMatchObject({ nodes: 2, answered: 2, unanswered: [] });
		expect(ms).toBeLessThan(10_000);

		expect(await b.provider.cluster.subscribe('all', 't')).toMatchObject({ nodes: 2, answered: 2 });
		expect(b.provider.cluster.nodes()).toHaveLength(2);
	}, 20_000);
});

describe('counts', () => {
	it('are whole as soon as a node has started', async () => {
		const { backend, a, b } = await openThree();
		for (const node of [a, b]) await node.connect();
		const late = await openNode({ bus: backend.createBus(), heartbeatMs: 100 });
		const { count, nodes, isPartial } = await late.provider.cluster.connectionCount();
		expect({ count, nodes, isPartial }).toEqual({ count: 2, nodes: 4, isPartial: false });
	});

	it('are partial while a node does not answer', async () => {
		const { backend, a, c, busOfC } = await openThree();
		await a.connect({ topics: new Set(['t']) });
		backend.cut(busOfC);
		const partial = { nodes: 3, answered: 2, unanswered: [idOf(c)], isPartial: true, count: 1 };
		expect(await a.provider.cluster.subscriberCount('t', { timeoutMs: 300 })).toEqual(partial);
		await until(() => a.provider.cluster.nodes().length === 2, { what: 'it is silent', timeoutMs: 10_000 });

		expect(await a.provider.cluster.connectionCount({ timeoutMs: 300 })).toEqual(partial);
	}, 20_000);
});
