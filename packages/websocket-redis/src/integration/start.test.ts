import { connect as connectTo, createServer, type Server, type Socket } from 'node:net';
import { freePort, type RedisServer, startRedis, until } from '@orijs/testkit';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createClient } from '../server/client-options.ts';
import { InvalidRedisOptionError, RedisConnectError, type RedisWsProviderOptions, RedisWsProvider } from '../index.ts';
import { resolves } from '../test-support/resolves.ts';
import { silentLogger } from '../test-support/silent-logger.ts';

describe('starting on Redis', () => {
	let redis: RedisServer;
	const providers: RedisWsProvider[] = [];
	beforeAll(async () => {
		redis = await startRedis({ args: ['--requirepass', 'secret'] });
	});
	afterAll(() => redis.stop());
	afterEach(async () => {
		await Promise.all(providers.splice(0).map((provider) => provider.stop()));
	});

	/** Creates a provider. The default timeout is ample, even on a slow machine; tests of timeouts set a short one. */
	function create(connection: RedisWsProviderOptions['connection'], connectTimeout = 10_000): RedisWsProvider {
		const provider = new RedisWsProvider({ connection, connectTimeout, logger: silentLogger });
		providers.push(provider);
		return provider;
	}

	/** Returns the error of a failing start, which must fail well before ioredis's own timeout of 10 s. */
	async function failureOf(provider: RedisWsProvider): Promise<RedisConnectError> {
		const begin = performance.now();
		const error: unknown = await provider.start().catch((thrown: unknown) => thrown);
		expect(performance.now() - begin).toBeLessThan(5_000);
		expect(error).toBeInstanceOf(RedisConnectError);
		return error as RedisConnectError;
	}

	it('starts with options, with a URL, and with an instance, which it leaves open', async () => {
		const instance = new Redis({ port: redis.port, password: 'secret' });
		await create({ port: redis.port, password: 'secret' }).start();
		await create(`redis://:secret@127.0.0.1:${redis.port}`).start();
		const third = create(instance);
		await third.start();
		await third.stop();
		expect(await instance.ping()).toBe('PONG');
		instance.disconnect();
	});

	it('rejects when nothing listens, naming host, port and cause', async () => {
		const port = await freePort();
		const error = await failureOf(create({ host: '127.0.0.1', port }, 500));
		expect(error.endpoint).toBe(`127.0.0.1:${port}`);
		expect(error.message).toMatch(new RegExp(`Redis at 127.0.0.1:${port} could not be reached within 500 ms: .+`));
		expect(error.cause).toBeInstanceOf(Error);
	});

	it('rejects when the server accepts the connection and never replies', async () => {
		const mute = await listen(() => {});
		const error = await failureOf(create({ port: mute.port }, 500));
		expect(error.message).toContain(`localhost:${mute.port}`);
		await mute.close();
	});

	it('rejects when the server is not Redis', async () => {
		const web = await listen((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
		await failureOf(create({ port: web.port }, 500));
		await web.close();
	});

	it('rejects a wrong password at once, without the password in the message', async () => {
		const error = await failureOf(create(`redis://:wrong-password@127.0.0.1:${redis.port}`, 60_000));
		expect(error.message).toMatch(/refused the connection: .*(WRONGPASS|invalid)/i);
		expect(error.message).not.toContain('wrong-password');
	});

	it('rejects when the server stops replying once connected', async () => {
		const proxied = await listen((socket) => {
			const upstream = connectTo(redis.port, '127.0.0.1');
			upstream.on('error', () => {}).on('data', (bytes) => socket.write(bytes));
			socket.on('close', () => upstream.destroy());
			socket.on('data', (bytes) => {
				if (!bytes.toString('latin1').includes('\r\nsubscribe\r\n')) upstream.write(bytes);
			});
		});
		const provider = create({ port: proxied.port, password: 'secret' }, 1_500);
		await expect(provider.start()).rejects.toThrow('no answer');
		await proxied.close();
	});

	it('ignores options in a URL that would send messages twice', () => {
		const url =
			'redis://localhost?autoResendUnfulfilledCommands=true&maxRetriesPerRequest=20&enableOfflineQueue=true&db=3';
		const { options } = createClient(url, 1_000);
		expect(options).toMatchObject({
			autoResendUnfulfilledCommands: false,
			maxRetriesPerRequest: 0,
			enableOfflineQueue: false,
			connectTimeout: 1_000,
			lazyConnect: true,
		});
		expect(Number(options.db)).toBe(3);
	});

	it('waits for a Redis that comes up before the deadline', async () => {
		const port = await freePort();
		const provider = create({ port });
		const started = provider.start();
		const late = await startRedis({ port });
		await started;
		await provider.stop();
		await late.stop();
	});

	it('can be started again after a failure', async () => {
		const port = await freePort();
		const provider = create({ port }, 500);
		await failureOf(provider);
		const late = await startRedis({ port });
		await until(() => resolves(provider.start()), { what: 'a start succeeds', timeoutMs: 10_000 });
		await provider.stop();
		await late.stop();
	});

	it('can be stopped while it starts', async () => {
		const mute = await listen(() => {});
		const provider = create({ port: mute.port }, 60_000);
		const started = provider.start().catch((error: Error) => error.name);
		await mute.connected;
		await provider.stop();
		expect(await started).toBe('ProviderStoppedError');
		await mute.close();
	});

	it.each([
		['text that is no URL', { connection: 'localhost:6379' }, /redis:\/\/ or rediss:\/\/ URL/],
		[
			'an invalid URL, without showing its password',
			{ connection: 'redis//:hunter2@db' },
			/^(?!.*hunter2).*redis:\/\//,
		],
		['missing options', undefined as never, /ioredis options/],
		['a client of another kind', { connection: new Bun.RedisClient() as never }, /ioredis instance/],
		['a missing connection', { connection: undefined as never }, /ioredis options/],
		['an empty prefix', { connection: {}, keyPrefix: '' }, /keyPrefix must be 1 to 128 characters/],
		['a prefix with a space', { connection: {}, keyPrefix: 'a b' }, /keyPrefix/],
		['a prefix with a colon', { connection: {}, keyPrefix: 'app:x' }, /from A-Z a-z 0-9 _ \. - .*, not "app:x"/],
		['a prefix that is not a string', { connection: {}, keyPrefix: 7 as never }, /keyPrefix must be .*, not 7/],
		['a connectTimeout of 0', { connection: {}, connectTimeout: 0 }, /connectTimeout must be a number of milliseconds/],
		[
			'a connectTimeout in text',
			{ connection: {}, connectTimeout: '500' as never },
			/connectTimeout must be .*, not "500"/,
		],
		[
			'an unknown option',
			{ connection: {}, prefix: 'chat' } as never,
			/no option prefix; options are connection, keyPrefix, connectTimeout, history, presence, heartbeatMs, collectBeatsAbove, graceMs, secret, acceptUnsigned, logger/,
		],
		['a connectTimeout of NaN', { connection: {}, connectTimeout: Number.NaN }, /connectTimeout/],
		[
			'a connectTimeout that no timer accepts',
			{ connection: {}, connectTimeout: 2 ** 31 },
			/connectTimeout must be a number of milliseconds above 0 and at most 2147483647, not 2147483648/,
		],
		[
			'a mistyped option',
			{ connection: {}, histroy: {} } as never,
			/^RedisWsProvider has no option histroy; options are connection, keyPrefix, connectTimeout, history, presence, heartbeatMs, collectBeatsAbove, graceMs, secret, acceptUnsigned, logger$/,
		],
		['another mistyped option', { connection: {}, connectTimout: 1 } as never, /no option connectTimout; options are/],
		[
			'Sentinels without a name',
			{ connection: { sentinels: [{ port: 26_379 }] } },
			/name of a primary: \{ sentinels, name/,
		],
		[
			'a port in words',
			{ connection: { port: 'redis' as never } },
			/the port must be a whole number from 1 to 65535, not "redis"/,
		],
		[
			'a URL with an impossible port',
			{ connection: 'redis://:hunter2@localhost:99999' },
			/^(?!.*hunter2).*port .*from 1 to 65535/,
		],
		[
			'a URL with a bare % in the password',
			{ connection: 'redis://:hunter%2@localhost' },
			/^(?!.*hunter)the URL of Redis is invalid: .* percent-encoded/,
		],
		[
			'a node of a Cluster with a bare % in its password',
			{ connection: { cluster: ['redis://:hunter%2@localhost'] } },
			/^(?!.*hunter)the URL of Redis is invalid: .* percent-encoded/,
		],
		[
			'options as a string',
			'redis://:hunter2@localhost' as never,
			/^(?!.*hunter2).*takes an object of options, not a string/,
		],
	])('rejects %s, with a helpful message', (_, options, message) => {
		const create = (): unknown => new RedisWsProvider(options);
		expect(create).toThrow(InvalidRedisOptionError);
		expect(create).toThrow(message);
	});
});

async function listen(
	onConnect: (socket: Socket) => void,
): Promise<{ readonly port: number; readonly connected: Promise<void>; close(): Promise<void> }> {
	const sockets = new Set<Socket>();
	const { promise: connected, resolve } = Promise.withResolvers<void>();
	const server: Server = createServer((socket) => {
		sockets.add(socket.on('error', () => {}));
		onConnect(socket);
		resolve();
	});
	await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
	const address = server.address();
	return {
		port: typeof address === 'object' && address !== null ? address.port : 0,
		connected,
		close: () => {
			for (const socket of sockets) socket.destroy();
			return new Promise((done) => server.close(() => done()));
		},
	};
}
