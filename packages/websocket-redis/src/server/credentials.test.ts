import {
	RecordingLogger,
	type RedisCluster,
	type RedisServer,
	startRedis,
	startRedisCluster,
	startRedisSentinel,
	startTcpProxy,
	until,
} from '@orijs/testkit';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ConnectionFunctionError, InvalidRedisOptionError, type RedisConnection, RedisWsProvider } from '../index.ts';
import { messagesOf } from '../test-support/history-node.ts';
import { silentLogger } from '../test-support/silent-logger.ts';
import { startNode, type TestNode } from '../test-support/test-nodes.ts';

const HISTORY = { 'chat:*': { size: 10, ttlMs: 60_000 } };

const rejections: unknown[] = [];
const onRejection = (reason: unknown): void => void rejections.push(reason);
beforeAll(() => void process.on('unhandledRejection', onRejection));
afterAll(() => void process.off('unhandledRejection', onRejection));
afterEach(() => expect(rejections.splice(0)).toEqual([]));

interface Credentials {
	username: string;
	password: string;
}

/** The password of the Redis user `app`, as the application knows it. */
const secret = { password: 'first' };

async function setPassword(servers: readonly RedisServer[], password: string): Promise<void> {
	const rules = ['on', 'resetpass', `>${password}`, 'allkeys', 'allchannels', 'allcommands'];
	await Promise.all(servers.map((server) => server.command('ACL', 'SETUSER', 'app', ...rules)));
}

/** Changes the password on the servers, and drops all connections that were made with the old one. */
async function rotate(servers: readonly RedisServer[], password: string): Promise<void> {
	await setPassword(servers, password);
	await Promise.all(servers.map((server) => server.command('CLIENT', 'KILL', 'USER', 'app')));
}

async function messagesPass(a: TestNode, b: TestNode, text: string): Promise<void> {
	const { client } = await b.node.connect(['plain', 'chat:1']);
	await a.provider.publish('plain', `plain ${text}`);
	await a.provider.publish('chat:1', `kept ${text}`);
	await expect.poll(() => client.texts).toContain(`plain ${text}`);
	await expect.poll(() => messagesOf(client).map(({ data }) => data)).toContain(`kept ${text}`);
}

/** Resolves once all nodes have been degraded and are ready again. */
async function recovered(nodes: readonly TestNode[], interrupt: () => Promise<void>): Promise<void> {
	const seen = nodes.map(({ provider }) => {
		const statuses: string[] = [];
		provider.onStatus((status) => statuses.push(status));
		return statuses;
	});
	await interrupt();
	await until(() => seen.every((statuses) => statuses.includes('degraded') && statuses.at(-1) === 'ready'), {
		what: 'all nodes are ready again',
		timeoutMs: 10_000,
	});
}

describe('credentials that change while a node runs', () => {
	let redis: RedisServer;
	beforeAll(async () => {
		redis = await startRedis();
	});
	afterAll(() => redis.stop());
	beforeEach(async () => {
		secret.password = 'first';
		await setPassword([redis], 'first');
	});

	const user = (): Credentials & { port: number } => ({ port: redis.port, username: 'app', ...secret });
	const changing: Record<string, () => { readonly connection: RedisConnection; update?(): void }> = {
		'a function that returns options': () => ({ connection: user }),
		'an async function': () => ({ connection: async () => user() }),
		'a function that returns a URL': () => ({
			connection: () => `redis://app:${secret.password}@127.0.0.1:${redis.port}`,
		}),
		'an object with a getter': () => ({
			connection: {
				port: redis.port,
				username: 'app',
				get password() {
					return secret.password;
				},
			},
		}),
		'an object that is changed': () => {
			const connection = user();
			return { connection, update: () => void (connection.password = secret.password) };
		},
		'an instance whose options are changed': () => {
			const own = new Redis({ ...user(), lazyConnect: true });
			onTestFinished(() => own.disconnect());
			return { connection: own, update: () => void (own.options.password = secret.password) };
		},
	};

	it.each(Object.entries(changing))('are taken from %s', async (_, create) => {
		const { connection, update } = create();
		const a = await startNode({ connection, history: HISTORY });
		const b = await startNode({ connection, history: HISTORY });
		await messagesPass(a, b, 'before');
		for (const password of ['second', 'third']) {
			await recovered([a, b], async () => {
				secret.password = password;
				update?.();
				await rotate([redis], password);
			});
			await messagesPass(a, b, password);
		}
	});

	it('are used as soon as they are available, after the old ones have been refused', async () => {
		let calls = 0;
		const connection = (): RedisOptions => {
			calls++;
			return user();
		};
		const a = await startNode({ connection, history: HISTORY });
		await recovered([a], async () => {
			await rotate([redis], 'second');
			const before = calls;
			await until(() => calls > before + 6, { what: 'the old password is refused again and again', timeoutMs: 10_000 });
			expect(a.provider.status).toBe('degraded');
			secret.password = 'second';
		});
	});

	it('may be the password of the server itself', async () => {
		const locked = await startRedis({ password: 'first' });
		onTestFinished(() => locked.stop());
		const connection = (): RedisOptions => ({ port: locked.port, password: secret.password });
		const [a, b] = [
			await startNode({ connection, history: HISTORY }),
			await startNode({ connection, history: HISTORY }),
		];
		await recovered([a, b], async () => {
			secret.password = 'second';
			await locked.command('CONFIG', 'SET', 'requirepass', 'second');
			await locked.command('CLIENT', 'KILL', 'TYPE', 'normal');
			await locked.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
		});
		await messagesPass(a, b, 'after');
	});

	it('may come with another address', async () => {
		const other = await startRedis();
		onTestFinished(() => other.stop());
		await setPassword([other], 'other');
		const first = await startRedis();
		await setPassword([first], 'first');
		let given: RedisOptions = { ...user(), port: first.port };
		const connection = (): RedisOptions => given;
		const [a, b] = [
			await startNode({ connection, history: HISTORY }),
			await startNode({ connection, history: HISTORY }),
		];
		await recovered([a, b], async () => {
			given = { port: other.port, username: 'app', password: 'other' };
			await first.stop();
		});
		await messagesPass(a, b, 'after');
	});

	it('are asked for once at start, and then for each connection', async () => {
		let calls = 0;
		const connection = (): RedisOptions => {
			calls++;
			return user();
		};
		const node = await startNode({ connection });
		expect(calls).toBe(3);
		await recovered([node], () => rotate([redis], 'first'));
		expect(calls).toBeGreaterThanOrEqual(5);
	});

	it('that are unavailable are asked for again; the log names the cause a bounded number of times', async () => {
		let failures = 0;
		let isAway = false;
		const logger = new RecordingLogger();
		const a = await startNode({
			logger,
			async connection() {
				if (isAway) throw new Error(`the token service is away: ${++failures}`);
				return user();
			},
		});
		await recovered([a], async () => {
			isAway = true;
			await rotate([redis], 'first');
			await until(() => failures > 14, { what: 'the function has failed many times', timeoutMs: 20_000 });
			expect(a.provider.status).toBe('degraded');
			isAway = false;
		});
		const causes = logger.errors.filter(({ message }) => message.includes('the token service is away'));
		expect(causes[0]?.message).toMatch(
			/WebSocket failure \(connect\): .*the connection function failed: the token service is away: 1$/,
		);
		expect(causes.length).toBeLessThanOrEqual(10);
	});

	it('may come with other Sentinels', async () => {
		const group = await startRedisSentinel({ replicas: 0, sentinels: 1 });
		onTestFinished(() => group.stop());
		const [[sentinel], [primary]] = [group.sentinels, group.servers];
		const proxy = await startTcpProxy({ port: Number(sentinel?.port) });
		let given = { sentinels: [{ host: proxy.host, port: proxy.port }], name: group.name };
		const a = await startNode({ connection: () => given });
		await recovered([a], async () => {
			await proxy.stop();
			given = { ...given, sentinels: [{ host: '127.0.0.1', port: Number(sentinel?.port) }] };
			await primary?.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
		});
	});

	it('may not come with Sentinels in place of an address, or the reverse', async () => {
		const group = await startRedisSentinel({ replicas: 0, sentinels: 1 });
		onTestFinished(() => group.stop());
		const [primary] = group.servers;
		const address = { host: primary?.host ?? '', port: Number(primary?.port) };
		const sentinels = { sentinels: group.sentinels.map(({ host, port }) => ({ host, port })), name: group.name };
		const given: RedisOptions[] = [address, sentinels];
		const loggers = [new RecordingLogger(), new RecordingLogger()];
		const nodes = await Promise.all(
			loggers.map((logger, i) => startNode({ logger, connection: () => given[i] as RedisOptions })),
		);
		const problems = ["can't change from an address to Sentinels", "can't change from Sentinels to an address"];
		await recovered(nodes, async () => {
			given.reverse();
			await primary?.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
			await until(() => problems.every((text, i) => loggers[i]?.errors.some(({ message }) => message.includes(text))), {
				what: 'the errors are logged',
			});
			given.reverse();
		});
	});

	it('may not come with another database', async () => {
		let db = 0;
		const logger = new RecordingLogger();
		const a = await startNode({ logger, connection: () => ({ ...user(), db }) });
		await recovered([a], async () => {
			db = 1;
			await rotate([redis], 'first');
			await until(() => logger.errors.some(({ message }) => message.includes("can't change from 0 to 1")), {
				what: 'the error is logged',
			});
			expect(a.provider.status).toBe('degraded');
			db = 0;
		});
	});

	it.each([
		[
			'throws',
			() => {
				throw new Error('no token');
			},
			'no token',
		],
		[
			'rejects',
			async () => {
				throw new Error('no token');
			},
			'no token',
		],
		['rejects with text', () => Promise.reject('no token'), 'no token'],
		['does not answer in time', () => new Promise<never>(() => {}), 'no result within 500 ms'],
	])('from a function that %s: start rejects and names the cause', async (_, connection, cause) => {
		for (const each of [connection, { cluster: [{ port: redis.port }], options: connection }]) {
			const provider = new RedisWsProvider({
				connection: each,
				connectTimeout: 500,
				logger: silentLogger,
			});
			const error: unknown = await provider.start().catch((thrown: unknown) => thrown);
			expect(error).toBeInstanceOf(ConnectionFunctionError);
			expect(error).toMatchObject({
				name: 'ConnectionFunctionError',
				message: `the connection function failed: ${cause}`,
			});
		}
	});

	it.each([
		['nothing', () => undefined, /must return ioredis options or a redis:\/\/ URL, not undefined/],
		['a list', () => [], /must return ioredis options or a redis:\/\/ URL, not \[…\]/],
		['a number', () => 6379, /not 6379/],
		['text that is not a URL', () => 'hunter2', /redis:\/\/ or rediss:\/\/ URL/],
		['an instance', () => new Redis({ lazyConnect: true }), /not an ioredis instance/],
		['a Cluster', () => ({ cluster: [] }), /use \{ cluster: \[\.\.\.\], options: function \}/],
		['an invalid database', () => ({ db: -1 }), /whole number, 0 or more, not -1/],
	])('from a function that returns %s: start rejects and says what is allowed', async (_, connection, message) => {
		const provider = new RedisWsProvider({ connection: connection as () => RedisOptions, logger: silentLogger });
		const error: unknown = await provider.start().catch((thrown: unknown) => thrown);
		expect(error).toBeInstanceOf(InvalidRedisOptionError);
		expect((error as Error).message).toMatch(message);
	});

	it('from a function that fails for one of the first connections: start rejects at once', async () => {
		let calls = 0;
		const provider = new RedisWsProvider({
			connectTimeout: 60_000,
			logger: silentLogger,
			connection() {
				if (++calls === 3) throw new Error('no third token');
				return user();
			},
		});
		await expect(provider.start()).rejects.toThrow(ConnectionFunctionError);
		expect(calls).toBe(3);
		await provider.stop();
	});

	it('are no longer waited for once the provider is stopped', async () => {
		const asked = Promise.withResolvers<void>();
		const provider = new RedisWsProvider({
			connectTimeout: 60_000,
			logger: silentLogger,
			connection() {
				asked.resolve();
				return new Promise<never>(() => {});
			},
		});
		const started = provider.start().catch((error: Error) => error.name);
		await asked.promise;
		await provider.stop();
		expect(await started).toBe('ProviderStoppedError');

		let hangs = false;
		const again = Promise.withResolvers<void>();
		const running = await startNode({
			connection() {
				if (!hangs) return user();
				again.resolve();
				return new Promise<never>(() => {});
			},
		});
		hangs = true;
		await rotate([redis], 'first');
		await again.promise;
		await running.provider.stop();
	});
});

describe('credentials of a Redis Cluster that change while a node runs', () => {
	let cluster: RedisCluster;
	beforeAll(async () => {
		cluster = await startRedisCluster({ replicas: 0 });
	});
	afterAll(() => cluster.stop());
	beforeEach(async () => {
		secret.password = 'first';
		await setPassword(cluster.nodes, 'first');
	});

	const nodes = (): { host: string; port: number }[] => cluster.nodes.map(({ host, port }) => ({ host, port }));
	const user = (): Credentials => ({ username: 'app', ...secret });
	const changing: Record<string, () => { readonly connection: RedisConnection; update?(): void }> = {
		'a function': () => ({ connection: { cluster: nodes(), options: async () => user() } }),
		'options with a getter': () => ({
			connection: {
				cluster: nodes(),
				options: {
					username: 'app',
					get password() {
						return secret.password;
					},
				},
			},
		}),
		'options of each node': () => {
			const listed = nodes().map((node) => ({ ...node, ...user() }));
			return {
				connection: { cluster: listed },
				update() {
					for (const node of listed) node.password = secret.password;
				},
			};
		},
		'the redisOptions of an instance': () => {
			const own = new Cluster(nodes(), { lazyConnect: true, redisOptions: user() });
			onTestFinished(() => own.disconnect());
			return { connection: own, update: () => void (own.options.redisOptions = user()) };
		},
	};

	it.each(Object.entries(changing))('are taken from %s', async (_, create) => {
		const { connection, update } = create();
		const a = await startNode({ connection, history: HISTORY });
		const b = await startNode({ connection, history: HISTORY });
		await messagesPass(a, b, 'before');
		await recovered([a, b], async () => {
			secret.password = 'second';
			update?.();
			await rotate(cluster.nodes, 'second');
		});
		await messagesPass(a, b, 'after');
	});
});
