import { type RedisServer, startRedis, type TestClient } from '@orijs/testkit';
import type { LogDetails } from '@orijs/websocket';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RedisWsProvider } from '../index.ts';
import { type LocalNode, serveLocally } from '../test-support/local-node.ts';

const NOTHING_SKIPPED = { 'unknown-version': 0, malformed: 0, late: 0, unsigned: 0, forged: 0, replayed: 0 };

describe('frames that others publish on our channels', () => {
	let redis: RedisServer;
	let raw: Redis;
	let provider: RedisWsProvider;
	let node: LocalNode;
	let client: TestClient;
	const warnings: { message: string; details: LogDetails | undefined }[] = [];
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
		warnings.length = 0;
		provider = new RedisWsProvider({
			connection: { port: redis.port },
			keyPrefix: 'shared',
			logger: {
				debug() {},
				info() {},
				warn: (message, details) => warnings.push({ message, details }),
				error: unexpected,
			},
		});
		node = serveLocally(provider);
		await provider.start();
		({ client } = await node.connect(['room']));
	});
	afterEach(async () => {
		await client.close();
		await node.stop();
	});

	/** The origin, shard and incarnation of another system's node. */
	const sender = Buffer.alloc(14, 7);
	const frameOf = (version: number, ...texts: string[]): Buffer => {
		const run = Buffer.alloc(7 + 4 * (texts.length - 1));
		run.writeUInt16BE(texts.length, 1);
		run.writeUInt32BE(Buffer.byteLength(texts.join('')), 3);
		texts.slice(0, -1).forEach((text, i) => run.writeUInt32BE(text.length, 7 + 4 * i));
		return Buffer.concat([Buffer.from([version, 0]), sender, run, Buffer.from(texts.join(''))]);
	};

	it('reads frames as documented: version, sender, runs of messages', async () => {
		await raw.publish('shared:room', frameOf(1, 'öne', 'two'));
		expect(await client.next()).toBe('öne');
		expect(await client.next()).toBe('two');
		expect(warnings).toEqual([]);
	});

	it('skips frames of another version: counted, logged once, without effect on others', async () => {
		for (let i = 0; i < 3; i++) await raw.publish('shared:room', frameOf(2, 'from the future'));
		await raw.publish('shared:room', frameOf(1, 'from today'));
		expect(await client.next()).toBe('from today');
		expect(provider.getSkippedFrames()).toEqual({ ...NOTHING_SKIPPED, 'unknown-version': 3 });
		expect(warnings.map(({ message }) => message)).toEqual([expect.stringContaining('unknown-version')]);
	});

	it('skips malformed frames: counted, logged once, without effect on others', async () => {
		const malformed = [
			'',
			'\u0001',
			'\u0001short',
			frameOf(1, 'whole').subarray(0, -1),
			Buffer.concat([frameOf(1, 'then an unknown kind'), Buffer.from([9, 0, 0, 0, 0])]),
		];
		for (const bytes of malformed) await raw.publish('shared:room', bytes);
		await raw.publish('shared:*', '');
		await raw.publish('shared:room', frameOf(1, 'valid'));
		expect(await client.next()).toBe('valid');
		expect(provider.getSkippedFrames()).toEqual({ ...NOTHING_SKIPPED, malformed: malformed.length + 1 });
		expect(warnings.map(({ message }) => message)).toEqual([expect.stringContaining('malformed')]);
	});

	it('separates applications with different prefixes', async () => {
		const other = new RedisWsProvider({ connection: { port: redis.port }, keyPrefix: 'other' });
		await other.start();
		await other.publish('room', 'not for you');
		await other.stop();
		await raw.publish('shared:room', frameOf(1, 'for you'));
		expect(await client.next()).toBe('for you');
	});
});
