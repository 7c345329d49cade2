import { startRedis, startRedisCluster, until } from '@orijs/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { ClusterBus } from '../cluster/cluster-bus.ts';
import { RedisBus } from '../redis-bus.ts';
import { startPresenceBus } from '../test-support/presence-bus.ts';

it('works', async () => {
	const redis = await startRedis();
	onTestFinished(() => redis.stop());
	const make = () => startPresenceBus(new RedisBus({ connection: { port: redis.port }, keyPrefix: 'orijs', connectTimeout: 10_000 }), ['t'], 400);
	const [a, b] = [await make(), await make()];
	console.log(await a.put('t', 'k', 'l'));
	console.log(await b.put('t', 'k'));
	console.log(await a.presence.read('t', { limit: 10 }));
	console.log(await a.remove('t', 'k'));
	await until(() => b.changes.length === 3, { what: 'changes' });
	console.log(JSON.stringify(b.changes));
	console.log(await redis.command('KEYS', '*'), await redis.command('HGETALL', '{orijs:*t}:members'));
	await b.untilHandedOut(a.lease);
	console.log(await b.sweep(a.lease), await b.keys('t'));
	console.log(await redis.command('KEYS', '*'));
});
