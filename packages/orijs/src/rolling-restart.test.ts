import { freePort, type ScriptProcess, spawnBun, startRedis, until } from '@orijs/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ShopClient } from './test-support/shop-client.ts';
import { judge } from './test-support/shop-verdict.ts';
import type { Account, NodeRequest, NodeSettings, Sale } from './test-support/shop.ts';

const CLIENTS = 100;
const ROOMS = Array.from({ length: 20 }, (_, i) => `room:${i}`);
/** So many are answered before, between and after the restarts. */
const ORDERS = 2_000;

describe('two nodes that are restarted one after the other, under load', () => {
	it('lose no answer and no message, and no client is cut off', { timeout: 60_000 }, async () => {
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
		onTestFinished(() => clients.forEach((client) => client.leave()));

		await underLoad(clients);
		const accountA = await stop(a);
		const newA = await start('a2', portA);
		await underLoad(clients);
		const accountB = await stop(b);
		const newB = await start('b2', portB);
		await underLoad(clients);

		for (const client of clients) client.stopOrdering();
		await until(
			() => clients.every((client) => client.connections.at(-1)?.orders.every(({ answers }) => answers.length > 0)),
			{
				what: 'every order of those connected is answered',
			},
		);
		for (const node of [newA, newB]) await heardByAll(node, clients);
		for (const client of clients) client.leave();
		const accounts = [accountA, accountB, await stop(newA), await stop(newB)];

		const { wrong, counts } = judge(clients, accounts);
		expect(wrong).toEqual([]);
		// Each client had to move at least once, and there was enough that could have gone wrong.
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

/** Stops a node as whoever deploys does. */
async function stop(node: ScriptProcess): Promise<Account> {
	// Longer than it gives itself: that it has to be killed is a failure.
	expect(await node.stop(15_000)).toEqual({ code: 0, signal: null });
	expect(node.reports).toHaveLength(1);
	return node.reports[0] as Account;
}

/** Resolves when all clients are there, and many more orders are answered. */
async function underLoad(clients: readonly ShopClient[]): Promise<void> {
	const count = (): number => clients.reduce((sum, { orders }) => sum + orders.filter(isAnswered).length, 0);
	const before = count();
	await until(() => clients.every(({ isThere }) => isThere), {
		what: () => `all clients are there; ${clients.filter(({ isThere }) => !isThere).length} are not`,
		timeoutMs: 10_000,
	});
	await until(() => count() >= before + ORDERS, { what: 'more orders are answered', timeoutMs: 10_000 });
}

const isAnswered = ({ answers }: { readonly answers: readonly string[] }): boolean => answers.includes('answered');

/** Has a node say one thing more in each room, and waits until everyone has heard it. */
async function heardByAll(node: ScriptProcess, clients: readonly ShopClient[]): Promise<void> {
	const sales = await node.request<Sale[]>({ do: 'round', rooms: ROOMS } satisfies NodeRequest);
	const due = new Map(sales.map((sale) => [sale.room, sale]));
	const hasHeard = ({ room, connections }: ShopClient): boolean =>
		connections.at(-1)?.heard.some((sale) => Bun.deepEquals(sale, due.get(room))) === true;
	await until(() => clients.every(hasHeard), { what: 'all rooms have heard the last messages' });
}
