import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Crowd } from './history/crowd.ts';
import { balance } from './history/ledger.ts';
import { NOTHING_LOST, NOTHING_SILENT, type Outcome, outcomeFrom } from './history/outcome.ts';
import { some } from './history/seed.ts';

describe('clients of topics with history', () => {
	let crowd: Crowd;
	beforeAll(async () => void (crowd = await Crowd.gather()));
	afterAll(() => crowd.disperse());

	const rows: Record<string, Outcome> = {};
	afterAll(() => console.table(rows));

	/** Does it under load. */
	async function under(name: string, fault: () => Promise<void>): Promise<Outcome> {
		const outcomeOf = outcomeFrom(crowd);
		crowd.publish();
		await crowd.more(20);
		await fault();
		await crowd.more(20);
		await crowd.settle();
		return (rows[name] = outcomeOf());
	}

	it('hear all, once and in order, when their connections are cut', async () => {
		const outcome = await under('connections cut', async () => {
			for (const follower of [...some(crowd.followers, 20), ...some(crowd.plain, 5)]) {
				follower.cut();
				await crowd.more(1);
			}
		});
		expect(outcome).toMatchObject(NOTHING_LOST);
		expect(outcome.recovered).toBeGreaterThan(0);
		expect(outcome.plain).toBeGreaterThan(0);
	});

	it('hear all, once and in order, when their nodes send them away', async () => {
		const outcome = await under('clients kicked', async () => {
			for (let time = 0; time < 5; time++) {
				await Promise.all(crowd.nodes.map((node) => node.kick(6)));
				await crowd.more(1);
			}
		});
		expect(outcome).toMatchObject(NOTHING_LOST);
		expect(outcome.recovered).toBeGreaterThan(0);
		expect(outcome.plain).toBeGreaterThan(0);
	});

	it('hear all, once and in order, when their node is killed', async () => {
		const outcome = await under('node killed', async () => {
			await crowd.nodes[0]?.kill();
			await crowd.more(10);
			await crowd.nodes[0]?.restart();
		});
		expect(outcome).toMatchObject(NOTHING_LOST);
		expect(outcome.recovered).toBeGreaterThanOrEqual(crowd.followers.length / 2);
		expect(outcome.plain).toBeGreaterThan(0);
	});

	it('hear all, once and in order, when Redis is killed and comes back with its data', async () => {
		const outcome = await under('Redis killed', async () => {
			await crowd.redis.kill();
			await Bun.sleep(1_000);
			await crowd.redis.restart();
		});
		expect(outcome).toMatchObject(NOTHING_LOST);
	});

	it('hear all, once and in order, when the subscribers of Redis are cut off', async () => {
		const outcome = await under('subscribers cut off', async () => {
			for (let time = 0; time < 5; time++) {
				await crowd.redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
				await crowd.more(10);
			}
		});
		expect(outcome).toMatchObject(NOTHING_LOST);
		expect(outcome.plain).toBeGreaterThan(0);
	});

	it('hear all, once and in order, when the links of a node hang', async () => {
		const [link] = crowd.links;
		const outcome = await under('links of a node frozen', async () => {
			expect(link?.freeze()).toBeGreaterThan(0);
			await Bun.sleep(3_000);
			link?.thaw();
		});
		expect(outcome).toMatchObject(NOTHING_LOST);
	});

	it('hear all, once and in order, when a link of a node is dead for long', async () => {
		const [, link] = crowd.links;
		const outcome = await under('links of a node dead', async () => {
			// New ones are not held up: the node has to find out by itself that these lead nowhere.
			for (const each of link?.links() ?? []) each.freeze();
			await crowd.more(200);
			link?.thaw();
		});
		expect(outcome).toMatchObject(NOTHING_LOST);
		expect(outcome.plain).toBeGreaterThan(0);
	});

	it('hear all, once and in order, when Redis hangs', async () => {
		const outcome = await under('Redis frozen', async () => {
			crowd.redis.freeze();
			await Bun.sleep(3_000);
			crowd.redis.thaw();
		});
		expect(outcome).toMatchObject(NOTHING_LOST);
	});

	it('are told what they miss when Redis forgets while they are away', async () => {
		const outcome = await under('Redis flushed', async () => {
			const node = crowd.nodes[1];
			await node?.kill();
			await crowd.more(10);
			await crowd.redis.command('FLUSHALL');
			await crowd.more(10);
			await node?.restart();
		});
		expect(outcome).toMatchObject(NOTHING_SILENT);
		expect(outcome.missing).toBeGreaterThan(0);
		expect(outcome.lost).toBeGreaterThanOrEqual(crowd.followers.length / 2);
	});

	it('are told what they miss when Redis is killed and comes back empty', async () => {
		const outcome = await under('Redis emptied', async () => {
			for (const follower of some(crowd.followers, 20)) follower.cut();
			await crowd.redis.command('FLUSHALL');
			await crowd.redis.kill();
			await Bun.sleep(500);
			await crowd.redis.restart();
		});
		expect(outcome).toMatchObject(NOTHING_SILENT);
		expect(outcome.gaps).toBeGreaterThanOrEqual(crowd.followers.length);
	});
});

describe('clients of a topic that keeps five messages', () => {
	let crowd: Crowd;
	beforeAll(async () => void (crowd = await Crowd.gather(['brief:0', 'brief:1'])));
	afterAll(() => crowd.disperse());

	it('are told what they miss, and get no part of it', async () => {
		crowd.publish();
		await crowd.more(10);
		const node = crowd.nodes[0];
		await node?.kill();
		await crowd.more(20);
		const away = crowd.followers.filter((_, i) => i % 2 === 0);
		const before = away.map(({ told }) => told.length);
		await node?.restart();
		await crowd.more(10);
		await crowd.settle();
		for (const [i, follower] of away.entries()) {
			const { missing, silent, duplicates, inversions } = balance(
				follower.told,
				crowd.topics.get(follower.topic)?.published ?? [],
			);
			expect({ silent, duplicates, inversions }).toEqual({ silent: [], duplicates: [], inversions: [] });
			expect(missing.length).toBeGreaterThan(5);
			// One hole, and nothing of it.
			expect((missing.at(-1) ?? 0) - (missing[0] ?? 0)).toBe(missing.length - 1);
			const after = follower.told.slice(before[i]);
			expect(after.filter(({ kind }) => kind === 'recovered')).toEqual([
				{ kind: 'recovered', recovered: false, count: 0 },
			]);
			expect(after.findIndex(({ kind }) => kind === 'message')).toBeGreaterThan(0);
		}
	});
});
