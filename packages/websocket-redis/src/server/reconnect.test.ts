import { type RedisServer, startRedis, until } from '@orijs/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RedisWsProvider } from '../index.ts';
import { type LocalNode, serveLocally } from '../test-support/local-node.ts';
import { silentLogger } from '../test-support/silent-logger.ts';

describe('an outage of Redis', () => {
	let redis: RedisServer;
	let a: { provider: RedisWsProvider; node: LocalNode };
	let b: { provider: RedisWsProvider; node: LocalNode };
	const rejections: unknown[] = [];
	const onRejection = (reason: unknown): void => void rejections.push(reason);

	beforeAll(() => void process.on('unhandledRejection', onRejection));
	afterAll(() => void process.off('unhandledRejection', onRejection));
	beforeEach(async () => {
		redis = await startRedis();
		[a, b] = await Promise.all([startNode(), startNode()]);
	});
	afterEach(async () => {
		await Promise.all([a, b].map(({ node }) => node.stop()));
		await redis.stop();
		expect(rejections).toEqual([]);
	});

	async function startNode(): Promise<typeof a> {
		const provider = new RedisWsProvider({
			connection: { port: redis.port },
			logger: silentLogger,
		});
		const node = serveLocally(provider);
		await provider.start();
		return { provider, node };
	}

	/** Publishes messages on node a until the client receives one. */
	async function untilReceived(topic: string, client: { readonly texts: readonly string[] }): Promise<void> {
		await until(
			async () => {
				await a.provider.publish(topic, 'probe').catch(() => {});
				return client.texts.includes('probe');
			},
			{ what: `a message arrives on ${topic}`, timeoutMs: 10_000 },
		);
	}

	it('publishes to local sockets only and rejects, then subscribes every topic again', async () => {
		const topics = Array.from({ length: 2_500 }, (_, i) => `topic:${i}`);
		const [local, remote] = [await a.node.connect(['topic:0']), await b.node.connect()];
		await Promise.all(topics.map((topic) => b.provider.subscribe(remote.id, topic)));
		await redis.kill();
		await until(
			async () =>
				(await a.provider.publish('topic:0', 'during the outage').catch((error: Error) => error.name)) ===
				'BusUnavailableError',
			{ what: 'the outage is noticed' },
		);
		expect(await local.client.next()).toBe('during the outage');

		// A subscribe during the outage stays pending until the outage ends.
		const subscribed = b.provider.subscribe(remote.id, 'topic:late');
		await redis.restart();
		await subscribed;
		await untilReceived('topic:late', remote.client);
		await until(
			() =>
				a.provider.publish('topic:0', 'back').then(
					() => true,
					() => false,
				),
			{ what: 'a publishes again', timeoutMs: 10_000 },
		);
		const received = (): number => new Set(remote.client.texts.filter((text) => text.startsWith('topic:'))).size;
		await Promise.all(topics.map((topic) => a.provider.publish(topic, topic)));
		await until(() => received() === topics.length, { what: 'a message arrived on every topic' });
		expect(remote.client.texts).not.toContain('during the outage');
	});

	it('does not delay stop()', async () => {
		const { id } = await a.node.connect();
		await redis.kill();
		const begin = performance.now();
		const pending = a.provider.subscribe(id, 'never').catch((error: Error) => error.name);
		await a.provider.stop();
		expect(await pending).toBe('ProviderStoppedError');
		expect(performance.now() - begin).toBeLessThan(2_000);
	});
});
