import { type RedisServer, startRedis, type TestClient, until } from '@orijs/testkit';
import type { Gap, LogDetails } from '@orijs/websocket';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RedisWsProvider } from '../index.ts';
import { messagesOf } from '../test-support/history-node.ts';
import { type LocalNode, serveLocally } from '../test-support/local-node.ts';

describe('a frame that others publish on the channel of a topic with history', () => {
	let redis: RedisServer;
	let raw: Redis;
	let provider: RedisWsProvider;
	let node: LocalNode;
	let client: TestClient;
	const warnings: { message: string; details: LogDetails | undefined }[] = [];
	const gaps: Gap[] = [];
	const unexpected = (message: string): never => {
		throw new Error(`unexpected: ${message}`);
	};

	beforeAll(async () => {
		redis = await startRedis();
		raw = new Redis({ port: redis.port });
	});
	afterAll(async () => {
		raw.disconnect();
		await redis.stop();
	});

	beforeEach(async () => {
		await redis.command('FLUSHALL');
		warnings.length = 0;
		gaps.length = 0;
		provider = new RedisWsProvider({
			connection: { port: redis.port },
			history: { 'chat:*': { size: 100, ttlMs: 600_000 } },
			logger: {
				debug() {},
				info() {},
				warn: (message, details) => warnings.push({ message, details }),
				error: unexpected,
			},
		});
		node = serveLocally(provider);
		provider.onGap((gap) => gaps.push(gap));
		await provider.start();
		({ client } = await node.connect(['chat:1']));
	});
	afterEach(async () => {
		await client.close();
		await node.stop();
	});

	/** Encodes a frame with one message, as the scripts on the server do. */
	const frameOf = (epoch: string, offset: number, prev: number, text: string): Buffer => {
		const head = Buffer.alloc(12 + epoch.length);
		head.set([0x48, 1, epoch.length]);
		head.write(epoch, 3, 'latin1');
		head.writeDoubleBE(offset, 3 + epoch.length);
		const entry = Buffer.alloc(28);
		[offset, prev, Date.now()].forEach((value, i) => entry.writeDoubleBE(value, 8 * i));
		entry.writeUInt32BE(text.length + 1, 24);
		return Buffer.concat([head, entry, Buffer.from(`T${text}`)]);
	};

	const arrived = async (...texts: string[]): Promise<void> => {
		await until(() => messagesOf(client).length >= texts.length, { what: `${texts.join()} arrive` });
		expect(messagesOf(client).map(({ data }) => data)).toEqual(texts);
	};

	it('is skipped if unreadable: counted, logged once, and later messages arrive', async () => {
		await provider.publish('chat:1', 'before');
		const frame = frameOf('epoch', 20, 10, 'cut');
		const truncated = Array.from({ length: frame.length - 1 }, (_, i) => frame.subarray(0, i + 1)).filter(
			// A frame with only the header is a valid history without messages.
			({ length }) => length !== 17,
		);
		const others = [Buffer.from([0x48, 2, ...frame.subarray(2)]), Buffer.concat([frame, Buffer.from('H')])];
		for (const bytes of [...truncated, ...others]) await raw.publish('orijs:chat:1', bytes);
		for (const bytes of [Buffer.from([1, 2, 3]), Buffer.alloc(0)]) await raw.publish('orijs:chat:1', bytes);
		await provider.publish('chat:1', 'after');
		await arrived('before', 'after');
		expect(provider.getSkippedFrames()).toEqual({
			'unknown-version': truncated.length + others.length,
			malformed: 2,
			late: 0,
			unsigned: 0,
			forged: 0,
			replayed: 0,
		});
		expect(warnings.map(({ message }) => message)).toEqual([
			expect.stringContaining('unknown-version'),
			expect.stringContaining('malformed'),
		]);
		expect(gaps).toEqual([]);
	});

	it('is checked against the history if it does not follow, and not delivered if it is not stored', async () => {
		await provider.publish('chat:1', 'before');
		await arrived('before');
		const { epoch, offset } = await provider.history('chat:1');
		await raw.publish('orijs:chat:1', frameOf('invented', 20, 10, 'of an unknown epoch'));
		await raw.publish('orijs:chat:1', frameOf(epoch, offset + 9, offset + 3, 'after the end'));
		await raw.publish('orijs:chat:1', frameOf(epoch, 2, 1, 'long ago'));
		await raw.publish('orijs:chat:1', frameOf(epoch, offset, offset - 1, 'already delivered'));
		await provider.publish('chat:1', 'after');
		await arrived('before', 'after');
		expect([gaps, warnings]).toEqual([[], []]);
	});

	it('does not affect other topics', async () => {
		const other = await node.connect(['chat:2', 'plain']);
		for (let i = 0; i < 50; i++) {
			await raw.publish('orijs:chat:1', 'H\u0001garbage');
			await provider.publish('chat:2', `${i}`);
		}
		await provider.publish('plain', 'end');
		await until(() => messagesOf(other.client).length >= 50, { what: 'all arrive' });
		expect(messagesOf(other.client).map(({ data }) => data)).toEqual(Array.from({ length: 50 }, (_, i) => `${i}`));
		await other.client.next((message) => message === 'end');
		await other.client.close();
	});
});
