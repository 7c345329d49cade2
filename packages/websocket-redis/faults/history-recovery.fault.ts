import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Condition } from './harness/condition.ts';
import { CONDITIONS } from './harness/conditions.ts';
import { rowName } from './harness/row-name.ts';
import { selectConditions } from './harness/select-conditions.ts';
import { HistoryDeployment } from './history/history-deployment.ts';
import { discrepancies } from './history/discrepancies.ts';
import { NOTHING_LOST, NOTHING_SILENT, type Outcome, outcomeFrom } from './history/outcome.ts';
import { sample } from './history/random.ts';

const NAME = 'clients of topics with history';
/** These are many faults, which take a minute: only full runs combine them with conditions. */
const CONDITIONED = selectConditions({ name: NAME, fullRunsOnly: true }).map((key) => CONDITIONS[key]);

for (const condition of [undefined, ...CONDITIONED]) describe(rowName(NAME, condition), () => testRecovery(condition));

function testRecovery(condition: Condition | undefined): void {
	let deployment: HistoryDeployment;
	beforeAll(async () => void (deployment = await HistoryDeployment.start(undefined, condition)));
	afterAll(() => deployment.stop());

	const rows: Record<string, Outcome> = {};
	afterAll(() => console.table(rows));

	/** Injects a fault under load and returns its outcome. */
	async function under(name: string, fault: () => Promise<void>): Promise<Outcome> {
		const outcomeOf = outcomeFrom(deployment);
		deployment.publish();
		await deployment.untilAccepted(20);
		await deployment.inject(fault);
		await deployment.untilAccepted(20);
		await deployment.settle();
		return (rows[name] = outcomeOf());
	}

	it('receive every message once and in order when their connections are cut', async () => {
		const outcome = await under('connections cut', async () => {
			for (const client of [...sample(deployment.clients, 20), ...sample(deployment.plainClients, 5)]) {
				client.cut();
				await deployment.untilAccepted(1);
			}
		});
		expect(outcome).toMatchObject(NOTHING_LOST);
		expect(outcome.recovered).toBeGreaterThan(0);
		expect(outcome.plainMissing).toBeGreaterThan(0);
	});

	it('receive every message once and in order when their nodes close them', async () => {
		const outcome = await under('clients closed by their nodes', async () => {
			for (let time = 0; time < 5; time++) {
				await Promise.all(deployment.nodes.map((node) => node.kick(6)));
				await deployment.untilAccepted(1);
			}
		});
		expect(outcome).toMatchObject(NOTHING_LOST);
		expect(outcome.recovered).toBeGreaterThan(0);
		expect(outcome.plainMissing).toBeGreaterThan(0);
	});

	it('receive every message once and in order when their node is killed', async () => {
		const outcome = await under('node killed', async () => {
			// Not the first node, whose event loop may be stalled: it has to reply.
			await deployment.nodes[1]?.kill();
			await deployment.untilAccepted(10);
			await deployment.nodes[1]?.restart();
		});
		expect(outcome).toMatchObject(NOTHING_LOST);
		expect(outcome.recovered).toBeGreaterThanOrEqual(deployment.clients.length / 2);
		expect(outcome.plainMissing).toBeGreaterThan(0);
	});

	it('receive every message once and in order when Redis is killed and restarted with its data', async () => {
		const outcome = await under('Redis killed', async () => {
			await deployment.redis.kill();
			await Bun.sleep(1_000);
			await deployment.redis.restart();
		});
		expect(outcome).toMatchObject(NOTHING_LOST);
	});

	it('receive every message once and in order when the subscribers of Redis are killed', async () => {
		const outcome = await under('subscribers killed', async () => {
			for (let time = 0; time < 5; time++) {
				await deployment.redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
				await deployment.untilAccepted(10);
			}
		});
		expect(outcome).toMatchObject(NOTHING_LOST);
		expect(outcome.plainMissing).toBeGreaterThan(0);
	});

	it('receive every message once and in order when the connections of a node to Redis hang', async () => {
		const [proxy] = deployment.proxies;
		const outcome = await under('connections of a node frozen', async () => {
			expect(proxy?.freeze()).toBeGreaterThan(0);
			await Bun.sleep(3_000);
			proxy?.thaw();
		});
		expect(outcome).toMatchObject(NOTHING_LOST);
	});

	it('receive every message once and in order when the connections of a node to Redis are dead', async () => {
		const [, proxy] = deployment.proxies;
		const outcome = await under('connections of a node dead', async () => {
			// New connections work, so the node has to detect that the existing ones are dead.
			for (const each of proxy?.links() ?? []) each.freeze();
			await deployment.untilAccepted(200);
			proxy?.thaw();
		});
		expect(outcome).toMatchObject(NOTHING_LOST);
		expect(outcome.plainMissing).toBeGreaterThan(0);
	});

	it('receive every message once and in order when Redis hangs', async () => {
		const outcome = await under('Redis frozen', async () => {
			deployment.redis.freeze();
			await Bun.sleep(3_000);
			deployment.redis.thaw();
		});
		expect(outcome).toMatchObject(NOTHING_LOST);
	});

	it('have their losses reported when Redis is flushed while they are disconnected', async () => {
		const outcome = await under('Redis flushed', async () => {
			const node = deployment.nodes[1];
			await node?.kill();
			await deployment.untilAccepted(10);
			await deployment.redis.command('FLUSHALL');
			await deployment.untilAccepted(10);
			await node?.restart();
		});
		expect(outcome).toMatchObject(NOTHING_SILENT);
		expect(outcome.missing).toBeGreaterThan(0);
		expect(outcome.unrecovered).toBeGreaterThanOrEqual(deployment.clients.length / 2);
	});

	it('have their losses reported when Redis is killed and restarted empty', async () => {
		const outcome = await under('Redis emptied', async () => {
			for (const client of sample(deployment.clients, 20)) client.cut();
			await deployment.redis.command('FLUSHALL');
			await deployment.redis.kill();
			await Bun.sleep(500);
			await deployment.redis.restart();
		});
		expect(outcome).toMatchObject(NOTHING_SILENT);
		expect(outcome.gaps).toBeGreaterThanOrEqual(deployment.clients.length);
	});
}

describe('clients of a topic with a history of five messages', () => {
	let deployment: HistoryDeployment;
	beforeAll(async () => void (deployment = await HistoryDeployment.start(['brief:0', 'brief:1'])));
	afterAll(() => deployment.stop());

	it('have a longer loss reported, and receive no part of it', async () => {
		deployment.publish();
		await deployment.untilAccepted(10);
		const node = deployment.nodes[0];
		await node?.kill();
		await deployment.untilAccepted(20);
		const disconnected = deployment.clients.filter((_, i) => i % 2 === 0);
		const before = disconnected.map(({ events }) => events.length);
		await node?.restart();
		await deployment.untilAccepted(10);
		await deployment.settle();
		for (const [i, client] of disconnected.entries()) {
			const { missing, silent, duplicates, inversions } = discrepancies(
				client.events,
				deployment.topics.get(client.topic)?.published ?? [],
			);
			expect({ silent, duplicates, inversions }).toEqual({ silent: [], duplicates: [], inversions: [] });
			expect(missing.length).toBeGreaterThan(5);
			// The missing messages must be consecutive.
			expect((missing.at(-1) ?? 0) - (missing[0] ?? 0)).toBe(missing.length - 1);
			const after = client.events.slice(before[i]);
			expect(after.filter(({ kind }) => kind === 'recovered')).toEqual([
				{ kind: 'recovered', recovered: false, count: 0 },
			]);
			expect(after.findIndex(({ kind }) => kind === 'message')).toBeGreaterThan(0);
		}
	});
});
