import { RecordingLogger, startRedis, until } from '@orijs/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { RedisWsProvider } from '../index.ts';
import { serveLocally } from '../test-support/local-node.ts';

it('a thousand topics that Redis refuses result in a few log lines that count them all', async () => {
	const count = 1_000;
	const redis = await startRedis();
	const channels = ['resetchannels', '&orijs:\\**', '&orijs:!*', '&orijs:@*'];
	await redis.command('ACL', 'SETUSER', 'limited', 'on', '>pw', '+@all', '~*', ...channels);
	const log = new RecordingLogger();
	const provider = new RedisWsProvider({
		connection: { port: redis.port, username: 'limited', password: 'pw' },
		logger: log,
	});
	const node = serveLocally(provider);
	onTestFinished(async () => {
		await node.stop();
		await redis.stop();
	});
	await provider.start();
	const { id, client } = await node.connect();
	const began = performance.now();
	for (let i = 0; i < count; i++) void provider.subscribe(id, `closed:${i}`);

	const counted = (): number => log.errors.reduce((sum, { details }) => sum + Number(details?.['count'] ?? 1), 0);
	await until(() => counted() >= count, { what: () => `all are counted, not just ${counted()}` });
	expect(counted()).toBe(count);
	expect(log.problems.length).toBeLessThanOrEqual(2 + (performance.now() - began) / 1_000);
	expect(log.errors[0]?.message).toMatch(/Subscribing to "closed:\d+" failed and was rolled back/);
	expect(log.errors[1]).toMatchObject({
		message: 'WebSocket failures (subscribe): SubscribeError',
		details: { stage: 'subscribe' },
	});
	await client.close();
});
