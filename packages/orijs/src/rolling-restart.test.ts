import { freePort, type ScriptProcess, spawnBun, startRedis, until } from '@orijs/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ShopClient } from './test-support/shop-client.ts';
import { checkRun } from './test-support/shop-check.ts';
import type { NodeReport, NodeRequest, NodeSettings, Sale } from './test-support/shop.ts';

const CLIENTS = 100;
const ROOMS = Array.from({ length: 20 }, (_, i) => `room:${i}`);
/** How many orders must be answered in each phase: before, between and after the restarts. */
const ORDERS = 2_000;

describe('a rolling restart of two nodes under load', () => {
	it('loses no answer and no message, and closes every connection cleanly', { timeout: 60_000 }, async () => {
		const redis = await startRedis();
		onTestFinished(() => redis.stop());
		const ports = [await freePort(), await freePort()] as const;
		const [portA, portB] = ports;
		const start = (name: string, port: number): Promise<ScriptProcess> =>
			startNode({ name, port, redisPort: redis.port });
		const a = await start('a1', portA);
		const b = await start('b1', portB);
		const clients = Array.from(
			{ length: CLIENTS },
			(_, i) => new ShopClient(`client ${i}`, ROOMS[i % ROOMS.length] as string, ports, i % 2),
		);
		onTestFinished(() => clients.forEach((client) => client.close()));

		await underLoad(clients);
		const reportA = await stop(a);
		const newA = await start('a2', portA);
		await underLoad(clients);
		const reportB = await stop(b);
		const newB = await start('b2', portB);
		await underLoad(clients);

		for (const client of clients) client.stopOrdering();
		await until(
			() => clients.every((client) => client.connections.at(-1)?.orders.every(({ answers }) => answers.length > 0)),
			{
				what: 'every order on an open connection is answered',
			},
		);
		for (const node of [newA, newB]) await receivedByAll(node, clients);
		for (const client of clients) client.close();
		const reports = [reportA, reportB, await stop(newA), await stop(newB)];

		const { problems, counts } = checkRun(clients, reports);
		expect(problems).toEqual([]);
		// Each client must have reconnected at least once, and enough must have happened for the test to be meaningful.
		expect(counts.closes).toBeGreaterThanOrEqual(CLIENTS);
		expect(counts.answered).toBeGreaterThanOrEqual(3 * ORDERS);
		expect(counts.stopping).toBeGreaterThan(0);
		expect(counts.due).toBeGreaterThan(ORDERS);
	});
});

async function startNode(settings: NodeSettings): Promise<ScriptProcess> {
	const node = spawnBun(new URL('test-support/shop-node.ts', import.meta.url), {
		env: { SHOP_NODE: JSON.stringify(settings) },
	});
	onTestFinished(async () => {
		node.kill();
		await node.exited;
	});
	await node.request({ do: 'ready' } satisfies NodeRequest);
	return node;
}

/** Stops a node as a deployment does. */
async function stop(node: ScriptProcess): Promise<NodeReport> {
	// This timeout is longer than the node's own deadline: it is a failure if the node has to be killed.
	expect(await node.stop(15_000)).toEqual({ code: 0, signal: null });
	expect(node.reports).toHaveLength(1);
	return node.reports[0] as NodeReport;
}

/** Resolves once all clients are subscribed and {@link ORDERS} more orders have been answered. */
async function underLoad(clients: readonly ShopClient[]): Promise<void> {
	const count = (): number => clients.reduce((sum, { orders }) => sum + orders.filter(isAnswered).length, 0);
	const before = count();
	await until(() => clients.every(({ isSubscribed }) => isSubscribed), {
		what: () => `all clients are subscribed; ${clients.filter(({ isSubscribed }) => !isSubscribed).length} are not`,
		timeoutMs: 10_000,
	});
	await until(() => count() >= before + ORDERS, { what: 'more orders are answered', timeoutMs: 10_000 });
}

const isAnswered = ({ answers }: { readonly answers: readonly string[] }): boolean => answers.includes('answered');

/** Makes a node emit one more message to each room, and waits until every client has received its room's message. */
async function receivedByAll(node: ScriptProcess, clients: readonly ShopClient[]): Promise<void> {
	const sales = await node.request<Sale[]>({ do: 'round', rooms: ROOMS } satisfies NodeRequest);
	const due = new Map(sales.map((sale) => [sale.room, sale]));
	const hasReceived = ({ room, connections }: ShopClient): boolean =>
		connections.at(-1)?.received.some((sale) => Bun.deepEquals(sale, due.get(room))) === true;
	await until(() => clients.every(hasReceived), { what: 'all clients have received the last messages' });
}
