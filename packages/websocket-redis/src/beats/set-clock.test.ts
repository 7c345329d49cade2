import { fakeClock, startRedis, until } from '@orijs/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { RedisBus } from '../redis-bus.ts';
import { type BeatBus, startBeatBus } from '../test-support/beat-bus.ts';

const HOUR_MS = 3_600_000;

it('the age of a silent node stays right when the clock of Redis is set back', async () => {
	const clock = fakeClock(0);
	onTestFinished(() => clock.remove());
	const redis = await startRedis({ env: clock.env });
	onTestFinished(() => redis.stop());
	const start = (): Promise<BeatBus> =>
		startBeatBus(new RedisBus({ connection: { port: redis.port }, keyPrefix: 'orijs', connectTimeout: 10_000 }));
	const [a, b] = [await start(), await start()];
	await a.beat(1);
	const beatAt = performance.now();
	let number = 1;
	const beats = setInterval(() => void b.beat(number++, { silentAfterMs: 1_500, digestEveryMs: 400 }), 50);
	onTestFinished(() => clearInterval(beats));
	await until(() => number > 5, { what: 'a few beats are sent' });
	clock.set(-HOUR_MS);

	const digests = b.digests.length;
	const ages = (): number[] =>
		b.digests
			.slice(digests + 1)
			.flatMap(({ entries }) => entries.filter(({ origin }) => origin === a.origin).map(({ ageMs }) => ageMs));
	await until(() => ages().some((age) => age > 2_500), { what: 'a grows older' });
	const least = performance.now() - beatAt;
	expect(ages().at(-1)).toBeLessThan(least + 1_500);
	// A full digest each 400 ms, and one of the silent node alone.
	await until(
		() =>
			b.digests.some(({ isFull, entries }) => !isFull && entries[0]?.origin === a.origin && entries[0].ageMs > 1_000),
		{
			what: 'a digest of the silent node arrives',
		},
	);
	const own = b.digests.at(-1)?.entries.find(({ origin }) => origin === b.origin);
	expect(own?.ageMs ?? 0).toBeLessThan(1_000);
});
