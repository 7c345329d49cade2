import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Crowd } from './history/crowd.ts';
import type { Follower } from './history/follower.ts';
import { balance } from './history/ledger.ts';
import { some } from './history/seed.ts';

/** What became of one fault, in all clients. */
interface Outcome {
	missing: number;
	silent: number;
	duplicates: number;
	inversions: number;
	/** How many times it was said that all came, with at least one message; and how many times that not. */
	recovered: number;
	lost: number;
	/** What clients of the topic without history did not hear. */
	plain: number;
}

describe('clients of topics with history', () => {
	let crowd: Crowd;
	beforeAll(async () => void (crowd = await Crowd.gather()));
	afterAll(() => crowd.disperse());

	const rows: Record<string, Outcome> = {};
	afterAll(() => console.table(rows));

	/** Does it under load, and balances what everybody heard from before until after. */
	async function under(name: string, fault: () => Promise<void>, losesData = false): Promise<Outcome> {
		const heard = new Map(crowd.everybody.map((follower) => [follower, follower.told.length]));
		const first = new Map([...crowd.topics].map(([topic, { last }]) => [topic, last + 1]));
		crowd.publish();
		await crowd.more(20);
		await fault();
		await crowd.more(20);
		await crowd.settle();
		const outcome = { missing: 0, silent: 0, duplicates: 0, inversions: 0, recovered: 0, lost: 0, plain: 0 };
		const since = ({ topic, told }: Follower, key: Follower) => {
			const from = first.get(topic) ?? 0;
			const published = crowd.topics.get(topic)?.published ?? [];
			const part = told.slice(heard.get(key) ?? 0);
			const shifted = part.map((one) =>
				one.kind === 'message' ? { ...one, text: String(Number(one.text) - from) } : one,
			);
			return { part, published: published.slice(from), ...balance(shifted, published.slice(from)) };
		};
		for (const follower of crowd.followers) {
			const { part, published, missing, silent, duplicates, inversions } = since(follower, follower);
			outcome.missing += missing.length;
			outcome.silent += silent.length;
			// A key is forgotten with the data.
			outcome.duplicates += duplicates.filter((n) => !losesData || published[n]?.wasRetried !== true).length;
			outcome.inversions += inversions.length;
			for (const one of part) {
				if (one.kind !== 'recovered') continue;
				if (!one.recovered) outcome.lost++;
				else if (one.count > 0) outcome.recovered++;
			}
		}
		for (const follower of crowd.plain) outcome.plain += since(follower, follower).missing.length;
		rows[name] = outcome;
		return outcome;
	}

	const NOTHING_WRONG = { silent: 0, duplicates: 0, inversions: 0 };
	const NOTHING_LOST = { ...NOTHING_WRONG, missing: 0, lost: 0 };

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

	it('hear all, once and in order, when Redis hangs', async () => {
		const outcome = await under('Redis frozen', async () => {
			crowd.redis.freeze();
			await Bun.sleep(3_000);
			crowd.redis.thaw();
		});
		expect(outcome).toMatchObject(NOTHING_LOST);
	});

	it('are told what they miss when Redis forgets while they are away', async () => {
		const outcome = await under(
			'Redis flushed',
			async () => {
				const node = crowd.nodes[1];
				await node?.kill();
				await crowd.more(10);
				await crowd.redis.command('FLUSHALL');
				await crowd.more(10);
				await node?.restart();
			},
			true,
		);
		expect(outcome).toMatchObject(NOTHING_WRONG);
		expect(outcome.missing).toBeGreaterThan(0);
		expect(outcome.lost).toBeGreaterThanOrEqual(crowd.followers.length / 2);
	});

	it('are told what they miss when Redis is killed and comes back empty', async () => {
		const outcome = await under(
			'Redis emptied',
			async () => {
				const cut = some(crowd.followers, 20);
				for (const follower of cut) follower.cut();
				await crowd.redis.command('FLUSHALL');
				await crowd.redis.kill();
				await Bun.sleep(500);
				await crowd.redis.restart();
			},
			true,
		);
		expect(outcome).toMatchObject(NOTHING_WRONG);
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
