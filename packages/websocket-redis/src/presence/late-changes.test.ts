import { fakeClock, type RedisServer, startRedis, startTcpProxy, type TcpProxy, until } from '@orijs/testkit';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { RedisBus } from '../redis-bus.ts';
import { type PresenceBus, SHORT_LEASE_MS, startPresenceBus } from '../test-support/presence-bus.ts';

describe('changes on a connection that hangs', () => {
	let redis: RedisServer;
	let proxy: TcpProxy;
	let a: PresenceBus;
	let b: PresenceBus;

	beforeEach(async () => {
		redis = await startRedis();
		proxy = await startTcpProxy({ port: redis.port });
		const start = (port: number): Promise<PresenceBus> =>
			startPresenceBus(new RedisBus({ connection: { port }, keyPrefix: 'orijs', connectTimeout: 10_000 }), ['t']);
		[a, b] = [await start(proxy.port), await start(redis.port)];
		await a.put('t', 'k');
	});
	afterEach(async () => {
		await proxy.stop();
		await redis.stop();
	});

	/** Freezes the current connections, makes a call whose changes stay in them, and resolves when new ones work. */
	async function strand(change: () => Promise<unknown>) {
		const frozen = proxy.links();
		for (const link of frozen) link.freeze();
		const stranded = change().then(
			() => 'applied',
			() => 'rejected',
		);
		for (const direction of ['publish', 'subscribe'] as const) a.bus.liveness?.reconnect('!', direction);
		expect(await stranded).toBe('rejected');
		await until(() => a.statuses.some(({ state }) => state === 'degraded'), { what: 'that is noticed' });
		await a.untilReady();
		return {
			async thaw(): Promise<void> {
				for (const link of frozen) link.thaw();
				await until(() => frozen.every((link) => !proxy.links().includes(link)), { what: 'they are over' });
			},
		};
	}

	it('are not applied after later ones', async () => {
		const { thaw } = await strand(() => a.put('t', 'late'));
		await a.remove('t', 'late', 'k');
		await thaw();
		await b.put('t', 'other');
		expect(await b.keys('t')).toEqual(['other']);
	});

	it('are not applied after later ones that found nothing to do, and left the topic empty', async () => {
		const { thaw } = await strand(() => a.put('u', 'late'));
		expect(await a.remove('u', 'late')).toMatchObject({ count: 0 });
		await thaw();
		await b.put('u', 'other');
		expect(await b.keys('u')).toEqual(['other']);
		expect((await b.remove('u', 'other')).count).toBe(0);
	});

	it('are not applied long after the call', { timeout: 15_000 }, async () => {
		const { thaw } = await strand(() => a.put('t', 'late'));
		await Bun.sleep(2_500);
		await thaw();
		await b.put('t', 'other');
		expect(await b.keys('t')).toEqual(['k', 'other']);
	});
});

it('a clock of Redis that is set does not make it refuse changes, or lingering records stay', async () => {
	const clock = fakeClock();
	const redis = await startRedis({ env: clock.env });
	onTestFinished(async () => {
		await redis.stop();
		clock.remove();
	});
	const bus = new RedisBus({ connection: { port: redis.port }, keyPrefix: 'orijs', connectTimeout: 10_000 });
	const a = await startPresenceBus(bus, [], SHORT_LEASE_MS);
	await a.put('t', 'k');
	for (const aheadMs of [20_000, -20_000, 0]) {
		clock.set(aheadMs);
		await until(
			async () => {
				const [seconds] = (await redis.command('TIME')) as readonly string[];
				return Math.abs(Number(seconds) * 1_000 - clock.now()) < 2_000;
			},
			{ what: 'the clock is set' },
		);
		expect((await a.renew()).isKept).toBe(true);
		expect((await a.put('t', `at ${aheadMs}`)).version?.n).toBeGreaterThan(1);
	}
	await a.apply('t', { kind: 'linger', key: 'k', ms: 1_000 });
	clock.set(-60_000);
	await until(async () => (await a.apply('t', { kind: 'expire', key: 'k' })).count === 3, { what: 'it expires' });
});
