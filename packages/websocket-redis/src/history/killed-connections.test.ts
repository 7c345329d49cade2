import { type RedisServer, startRedis, type TestClient, until } from '@orijs/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HistoryNode, messagesOf, startHistoryNode } from '../test-support/history-node.ts';
import { resolves } from '../test-support/resolves.ts';

const HISTORY = { 'chat:*': { size: 10_000, ttlMs: 600_000 } };
const COUNT = 500;
const TEXTS = Array.from({ length: COUNT }, (_, n) => `${n}`);

describe('connections killed while messages are published', () => {
	let redis: RedisServer;
	let a: HistoryNode;
	let b: HistoryNode;
	let clients: readonly TestClient[];
	beforeEach(async () => {
		redis = await startRedis();
		[a, b] = await Promise.all([startHistoryNode(redis, HISTORY), startHistoryNode(redis, HISTORY)]);
		clients = await Promise.all([a, b, a, b].map(async ({ node }) => (await node.connect(['chat:1'])).client));
	});
	afterEach(async () => {
		await Promise.all([a.stop(), b.stop()]);
		await redis.stop();
	});

	/** Kills all connections except the subscribers', each time another share of the messages is settled. */
	async function killDuring(settled: () => number): Promise<void> {
		for (const share of [0.1, 0.3, 0.5, 0.7]) {
			await until(() => settled() >= share * COUNT, {
				what: `${share} of the messages are settled`,
				timeoutMs: 10_000,
			});
			await redis.command('CLIENT', 'KILL', 'TYPE', 'normal');
		}
	}

	const recovered = ({ provider }: HistoryNode): Promise<unknown> =>
		until(() => resolves(provider.history('chat:1')), { what: 'Redis is reached again', timeoutMs: 10_000 });

	/** Returns the stored messages, after checking that they form one chain and that every client received them. */
	async function storedAndReceived(): Promise<readonly unknown[]> {
		await Promise.all([a, b].map(recovered));
		const { messages } = await a.provider.history('chat:1', { limit: 1_000 });
		const stored = messages.map(({ data }) => data);
		for (const client of clients) {
			await until(() => messagesOf(client).length >= stored.length, { what: 'all arrive' });
			expect(messagesOf(client).map(({ data }) => data)).toEqual(stored);
		}
		const page = await b.provider.history('chat:1', { limit: 1_000 });
		expect(page.messages.map(({ data }) => data)).toEqual(stored);
		let before = 0;
		for (const { position } of messages) {
			expect(position.prev).toBe(before);
			before = position.offset;
		}
		expect([...a.gaps, ...b.gaps].filter(({ topic }) => topic === 'chat:1')).toEqual([]);
		return stored;
	}

	it('lose nothing: each message, retried with its key, is stored once and received in one order', async () => {
		let refused = 0;
		let accepted = 0;
		const publishUntilAccepted = async ({ provider }: HistoryNode, text: string): Promise<void> => {
			await until(
				() =>
					provider.publish('chat:1', text, { idempotencyKey: text }).then(
						() => true,
						() => {
							refused++;
							return false;
						},
					),
				{ what: `${text} is accepted`, timeoutMs: 15_000 },
			);
			accepted++;
		};
		const published = Promise.all(TEXTS.map((text, n) => publishUntilAccepted(n % 2 === 0 ? a : b, text)));
		await killDuring(() => accepted);
		await published;
		// Otherwise no connection was lost while messages were pending, and the test proves nothing.
		expect(refused).toBeGreaterThan(0);
		const stored = await storedAndReceived();
		expect(stored).toHaveLength(COUNT);
		expect(new Set(stored)).toEqual(new Set(TEXTS));
	});

	it('have each message without a key accepted and stored once, or rejected and stored at most once', async () => {
		const accepted: string[] = [];
		const refused: string[] = [];
		const publish = async (node: HistoryNode, texts: readonly string[]): Promise<void> => {
			for (const text of texts) {
				const error: unknown = await node.provider.publish('chat:1', text).catch((thrown: unknown) => thrown);
				(error === undefined ? accepted : refused).push(text);
				if (error === undefined) continue;
				expect(error).toMatchObject({ name: 'BusUnavailableError', hasHistory: true });
				await recovered(node);
			}
		};
		// Publishes many messages at a time, so that no connection is idle when it is killed.
		const published = Promise.all(
			Array.from({ length: 20 }, (_, p) => {
				const own = TEXTS.filter((_text, n) => n % 20 === p);
				return publish(p % 2 === 0 ? a : b, own);
			}),
		);
		await killDuring(() => accepted.length);
		await published;
		expect(refused).not.toEqual([]);
		const stored = await storedAndReceived();
		expect(new Set(stored).size).toBe(stored.length);
		expect(accepted.filter((text) => !stored.includes(text))).toEqual([]);
	});
});
