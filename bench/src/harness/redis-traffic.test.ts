import { startRedis, until } from '@orijs/testkit';
import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { framesDuring, trafficMeter } from './redis-traffic.ts';

it('counts frames by channel, with their size on the wire', async () => {
	await using stack = new AsyncDisposableStack();
	const redis = stack.adopt(await startRedis(), (server) => server.stop());
	const connect = (): Redis => stack.adopt(new Redis({ port: redis.port }), (client) => client.disconnect());
	const [publisher, first, second] = [connect(), connect(), connect()];
	await first.subscribe('shared', 'own');
	await second.subscribe('shared');

	const counting = framesDuring(redis, 300);
	await until(async () => Number(await redis.command('PUBSUB', 'NUMPAT')) === 1, { what: 'frames are counted' });
	const traffic = await trafficMeter(redis);
	await publisher.publish('shared', 'x'.repeat(100));
	await publisher.publish('shared', 'x'.repeat(10));
	await publisher.publish('own', '');
	const { bytesToClients, calls, reads } = await traffic();
	const channels = await counting;

	const envelope = '*3\r\n$7\r\nmessage\r\n';
	const shared = `${envelope}$6\r\nshared\r\n$100\r\n\r\n${envelope}$6\r\nshared\r\n$10\r\n\r\n`.length + 110;
	const own = `${envelope}$3\r\nown\r\n$0\r\n\r\n`.length;
	expect(channels).toEqual([
		{ frames: 2, bytes: shared, subscribers: 2 },
		{ frames: 1, bytes: own, subscribers: 1 },
	]);
	expect([calls.get('publish'), calls.get('info'), reads]).toEqual([3, 0, 3]);
	// The subscriber that counts also gets the pattern with each frame.
	const tapped = shared + own + 3 * '$1\r\n*\r\np'.length;
	const replies = 3 * ':3\r\n'.length;
	expect(bytesToClients).toBe(2 * shared + own + tapped + replies);
});
