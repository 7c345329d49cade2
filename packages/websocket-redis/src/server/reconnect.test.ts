import { type RedisServer, startRedis, until } from '@orijs/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RedisWsProvider } from '../index.ts';
import { type NodeHere, serveHere } from '../test-support/node-here.ts';

describe('when Redis goes away and comes back', () => {
	let redis: RedisServer;
	let a: { provider: RedisWsProvider; node: NodeHere };
	let b: { provider: RedisWsProvider; node: NodeHere };
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
			logger: { debug() {}, info() {}, warn() {}, error() {} },
		});
		const node = serveHere(provider);
		await provider.start();
		return { provider, node };
	}

	/** Publishes from a until b's client hears it. */
	async function passes(topic: string, client: { readonly texts: readonly string[] }): Promise<void> {
		await until(
			async () => {
				await a.provider.publish(topic, 'probe').catch(() => {});
				return client.texts.includes('probe');
			},
			{ what: `a message passes in ${topic}`, timeoutMs: 10_000 },
		);
	}

	it('delivers on the same node, rejects for the others, and every topic lives again', async () => {
		const topics = Array.from({ length: 2_500 }, (_, i) => `topic:${i}`);
		const [here, there] = [await a.node.connect(['topic:0']), await b.node.connect()];
		await Promise.all(topics.map((topic) => b.provider.subscribe(there.id, topic)));
		await redis.kill();
		await until(
			async () =>
				(await a.provider.publish('topic:0', 'in the dark').catch((error: Error) => error.name)) ===
				'BusUnavailableError',
			{ what: 'the loss is noticed' },
		);
		expect(await here.client.next()).toBe('in the dark');

		// Joined during the outage: waits, and works after it.
		const joined = b.provider.subscribe(there.id, 'topic:late');
		await redis.restart();
		await joined;
		await passes('topic:late', there.client);
		await until(
			() =>
				a.provider.publish('topic:0', 'back').then(
					() => true,
					() => false,
				),
			{ what: 'a is back too', timeoutMs: 10_000 },
		);
		const heard = (): number => new Set(there.client.texts.filter((text) => text.startsWith('topic:'))).size;
		await Promise.all(topics.map((topic) => a.provider.publish(topic, topic)));
		await until(() => heard() === topics.length, { what: 'every topic was heard' });
		expect(there.client.texts).not.toContain('in the dark');
	});

	it('stops promptly in the middle of an outage', async () => {
		const { id } = await a.node.connect();
		await redis.kill();
		const begin = performance.now();
		const pending = a.provider.subscribe(id, 'never').catch((error: Error) => error.name);
		await a.provider.stop();
		expect(await pending).toBe('ProviderStoppedError');
		expect(performance.now() - begin).toBeLessThan(2_000);
	});
});
