import { type RedisServer, startRedis, until } from '@orijs/testkit';
import { randomOrigin } from '@orijs/websocket/internal';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { RedisBus } from '../redis-bus.ts';
import { type BeatBus, startBeatBus } from '../test-support/beat-bus.ts';

const OWN_CHANNEL = /^!\{orijs:!\}\w+$/;

describe('beats collected by Redis', () => {
	let redis: RedisServer;
	beforeAll(async () => {
		redis = await startRedis();
	});
	afterAll(() => redis.stop());
	beforeEach(() => redis.command('FLUSHALL'));

	const start = (port = redis.port): Promise<BeatBus> =>
		startBeatBus(new RedisBus({ connection: { port }, keyPrefix: 'orijs', connectTimeout: 10_000 }));

	it('reach only the node itself; others hear of it by digests', async () => {
		const [a, b] = [await start(), await start()];
		await a.beat(1);
		await b.beat(1);
		await a.beat(2);
		await a.beat(3, { digestEveryMs: 0 });
		await until(() => a.frames.length === 3, { what: 'its own beats arrive' });

		expect(a.frames.map(({ text }) => text)).toEqual(['1', '2', '3']);
		expect(new Set(a.frames.map(({ channel }) => channel))).toEqual(new Set([expect.stringMatching(OWN_CHANNEL)]));
		await until(() => b.digests.length === 3, { what: 'three digests arrive' });
		expect(b.digests).toMatchObject([
			{ origin: a.origin, isFull: false, entries: [{ origin: a.origin, number: 1, run: 1 }] },
			{ origin: b.origin, isFull: false, entries: [{ origin: b.origin, number: 1, run: 1 }] },
			{ origin: a.origin, isFull: true, skews: { least: -1, most: 2 } },
		]);
		const { entries = [] } = b.digests[2] ?? {};
		expect(entries).toHaveLength(2);
		expect(entries.find(({ origin }) => origin === a.origin)).toMatchObject({
			number: 3,
			run: 3,
			ageMs: 0,
			pauseMs: 500,
			counts: { connections: 3, topics: 4 },
		});
		expect(b.frames.map(({ text }) => text)).toEqual(['1']);
	});

	it('have a run that a skipped number starts over, which is told at once, and a repeated one keeps', async () => {
		const a = await start();
		for (const number of [1, 2, 3, 3, 4, 6, 7]) await a.beat(number);
		await a.beat(8, { digestEveryMs: 0 });
		await until(() => a.digests.length === 3, { what: 'three digests arrive' });
		expect(a.digests.map(({ isFull, entries }) => [isFull, entries[0]?.number, entries[0]?.run])).toEqual([
			[false, 1, 1],
			[false, 6, 1],
			[true, 8, 3],
		]);
	});

	it('have a run of at most 255', async () => {
		const a = await start();
		for (let number = 1; number <= 300; number++) await a.beat(number);
		await a.beat(301, { digestEveryMs: 0 });
		const told = await a.untilTold(a.origin, 1);
		expect([told.number, told.run]).toEqual([301, 255]);
	});

	it('have the run that the node gives, of at most 255, if Redis has lost the record', async () => {
		const a = await start();
		await a.beat(1);
		await redis.command('FLUSHALL');
		await a.beat(400, { run: 300 });
		await a.beat(402, { run: 302 });
		await until(() => a.digests.length === 3, { what: 'three digests arrive' });
		expect(a.digests.map(({ entries: [entry] }) => [entry?.number, entry?.run])).toEqual([
			[1, 1],
			[400, 255],
			[402, 1],
		]);
	});

	it('are published but not recorded if they are late, from a connection that has failed', async () => {
		const a = await start();
		await a.beat(5, { incarnation: 3 });
		await a.beat(6, { incarnation: 2, digestEveryMs: 0 });
		await a.beat(6, { incarnation: 3, digestEveryMs: 0 });
		await until(() => a.frames.length === 3, { what: 'all beats arrive' });
		expect(a.digests.map(({ entries }) => entries[0]?.run)).toEqual([1, 2]);
	});

	it('report a node that falls silent once, with its age, and at once when it is back', async () => {
		const [a, b] = [await start(), await start()];
		await Promise.all([a.beat(1), b.beat(1)]);
		await until(() => b.digests.length === 2, { what: 'both are new' });
		let number = 2;
		const beats = setInterval(() => void b.beat(number++, { silentAfterMs: 300 }), 50);
		onTestFinished(() => clearInterval(beats));

		const silent = await b.untilTold(a.origin, 2);
		expect(silent).toMatchObject({ number: 1, run: 1 });
		expect(silent.ageMs).toBeGreaterThanOrEqual(300);
		const at = number;
		await until(() => number >= at + 8, { what: 'eight more beats' });
		expect(b.digests).toHaveLength(3);

		await a.beat(2, { silentAfterMs: 300 });
		expect(await b.untilTold(a.origin, 3)).toMatchObject({ number: 2, run: 2, ageMs: 0 });
	});

	it('report no silence if it was the server that took no beats', async () => {
		const [a, b, c, d] = await Promise.all([start(), start(), start(), start()]);
		const all = [a, b, c, d];
		await Promise.all(all.map((each) => each.beat(1)));
		await until(() => a.digests.length === 4, { what: 'all are new' });
		redis.freeze();
		await new Promise((resolve) => setTimeout(resolve, 700));
		redis.thaw();
		for (const each of all) await each.beat(2, { silentAfterMs: 500 });
		await a.beat(3, { silentAfterMs: 500, digestEveryMs: 0 });
		await until(() => a.digests.some(({ isFull }) => isFull), { what: 'a digest of all arrives' });
		for (const { entries } of a.digests) for (const { ageMs } of entries) expect(ageMs).toBeLessThan(500);
	});

	it('of more than 1,000 nodes come in several frames', async () => {
		const a = await start();
		const others = Array.from({ length: 1_499 }, () => randomOrigin());
		await Promise.all(others.map((origin) => a.beat(1, { origin, isCollected: false })));
		expect(a.digests).toEqual([]);
		await a.beat(1, { digestEveryMs: 0 });
		await until(() => a.digests.length === 2, { what: 'two frames arrive' });
		expect(a.digests.map(({ isFull, entries }) => [isFull, entries.length])).toEqual([
			[true, 1_000],
			[true, 500],
		]);
		const told = new Set(a.digests.flatMap(({ entries }) => entries.map(({ origin }) => origin)));
		expect(told).toEqual(new Set([...others, a.origin]));
	});

	it('of many new nodes at a time come in a few frames', async () => {
		const a = await start();
		const others = Array.from({ length: 400 }, () => randomOrigin());
		await Promise.all(others.map((origin) => a.beat(1, { origin })));
		const told = (): Set<number> => new Set(a.digests.flatMap(({ entries }) => entries.map(({ origin }) => origin)));
		let number = 1;
		const beats = setInterval(() => void a.beat(number++), 50);
		onTestFinished(() => clearInterval(beats));
		await until(() => others.every((origin) => told().has(origin)), { what: 'all are told' });
		expect(a.digests.length).toBeLessThan(40);
	});

	it('start over if Redis loses its data and its scripts, and say again what the nodes are', async () => {
		const a = await start();
		a.beats().describe('this is a');
		await a.beat(1);
		await a.beat(2);
		expect(await a.beats().list()).toEqual([{ origin: a.origin, text: 'this is a', ageMs: expect.any(Number) }]);
		await redis.command('FLUSHALL');
		await redis.command('SCRIPT', 'FLUSH');
		expect(await a.beats().list()).toEqual([]);
		await a.beat(3);
		expect(await a.untilTold(a.origin, 1)).toMatchObject({ number: 3, run: 1 });
		await a.beat(4);
		expect(await a.beats().list()).toMatchObject([{ text: 'this is a' }]);
		a.beats().describe('this is a, later');
		await a.beat(5);
		expect(await a.beats().list()).toMatchObject([{ text: 'this is a, later' }]);
	});

	it('are not kept from an earlier run of the server, nor on replicas', async () => {
		const own = await startRedis({ args: ['--save', '3600 1'] });
		onTestFinished(() => own.stop());
		const replica = await startRedis({ replicaOf: own });
		onTestFinished(() => replica.stop());
		await own.replicated();
		const a = await start(own.port);
		await a.beat(1, { isCollected: false, origin: 77 });
		await a.beat(1);
		await own.command('SET', 'other', 'x');
		await own.replicated();
		expect(await replica.command('KEYS', '*')).toEqual(['other']);

		await own.restart();
		expect(await own.command('KEYS', '{orijs:!}:*')).toContain('{orijs:!}:beats');
		await until(() => a.statuses.at(-1)?.state === 'ready' && a.statuses.length > 2, { what: 'it is connected again' });
		// What INFO said of the earlier run is kept for a second.
		let number = 2;
		const beats = setInterval(() => void a.beat(number++, { digestEveryMs: 0 }).catch(() => {}), 50);
		onTestFinished(() => clearInterval(beats));
		await until(() => a.digests.at(-1)?.isFull === true && a.digests.at(-1)?.entries.length === 1, {
			what: 'the record of the earlier run is gone',
		});
	});

	it('are forgotten in time, with what the node has said, and leave no key for ever', async () => {
		const a = await start();
		a.beats().describe('x');
		await a.beat(1, { origin: 77 });
		await a.beat(1, { forgetAfterMs: 300 });
		let number = 2;
		const beats = setInterval(() => void a.beat(number++, { digestEveryMs: 0, forgetAfterMs: 300 }), 100);
		onTestFinished(() => clearInterval(beats));
		await until(() => a.digests.at(-1)?.isFull === true && a.digests.at(-1)?.entries.length === 1, {
			what: 'the other node is forgotten',
		});
		expect((await a.beats().list()).map(({ origin }) => origin)).not.toContain(77);
		for (const key of (await redis.command('KEYS', '*')) as string[]) {
			expect(Number(await redis.command('PTTL', key)), key).toBeGreaterThan(0);
		}
	});

	it('of a node that stops end with a digest of it, then its last beat; the last node leaves no key', async () => {
		const [a, b] = [await start(), await start()];
		for (const each of [a, b]) each.beats().describe('x');
		await Promise.all([a.beat(1), b.beat(1)]);
		await a.beats().remove('!', a.make(2, { channel: '!' }));
		await until(() => b.frames.some(({ channel }) => channel === '!'), { what: 'the last beat arrives' });
		expect(b.digests.at(-1)).toMatchObject({ isFull: false, entries: [{ origin: a.origin, number: 2, run: 2 }] });
		expect((await b.beats().list()).map(({ origin }) => origin)).toEqual([b.origin]);
		const digests = b.digests.length;
		await b.beats().remove('!', b.make(2, { channel: '!', isCollected: false }));
		await until(() => b.frames.filter(({ channel }) => channel === '!').length === 2, { what: 'so does the other' });
		expect(b.digests).toHaveLength(digests);
		expect(await redis.command('KEYS', '*')).toEqual([]);
	});

	it('are published after everything that the node has published before', async () => {
		const a = await start();
		await a.bus.subscribe(['t']);
		const sent: Promise<unknown>[] = [];
		for (let i = 1; i <= 20; i++) {
			sent.push(a.bus.publish('t', Buffer.from(`t${i}`)), a.beat(i), a.bus.publish('t', Buffer.from(`u${i}`)));
		}
		await Promise.all(sent);
		await until(() => a.frames.length === 60, { what: 'everything arrives' });
		const order = a.frames.map(({ text }) => text);
		expect(order).toEqual(Array.from({ length: 20 }, (_, i) => [`t${i + 1}`, `${i + 1}`, `u${i + 1}`]).flat());
	});

	it('are apart by database and prefix', async () => {
		const a = await start();
		const connection = { port: redis.port, db: 3 };
		const b = await startBeatBus(new RedisBus({ connection, keyPrefix: 'orijs', connectTimeout: 10_000 }));
		await a.beat(1, { digestEveryMs: 0 });
		await b.beat(1, { digestEveryMs: 0 });
		await until(() => a.digests.length > 0 && b.digests.length > 0, { what: 'digests arrive' });
		expect([a, b].map(({ digests }) => digests[0]?.entries.map(({ origin }) => origin))).toEqual([
			[a.origin],
			[b.origin],
		]);
	});
});
