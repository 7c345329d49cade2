import { type RedisSentinel, type RedisServer, startRedisSentinel, until } from '@orijs/testkit';
import type { Backend } from './backend.ts';

export interface SentinelBackend extends Backend {
	readonly sentinel: RedisSentinel;
}

/** A master and a replica, watched by three Sentinels, whom the nodes ask. */
export async function redisSentinel(): Promise<SentinelBackend> {
	const sentinel = await startRedisSentinel();
	const sentinels = sentinel.sentinels.map(({ host, port }) => ({ host, port }));
	return { sentinel, connection: { sentinels, name: sentinel.name }, stop: () => sentinel.stop() };
}

/** Resolves with the time at which most Sentinels send clients to another master than this. */
export async function sentElsewhere(sentinel: RedisSentinel, master: RedisServer): Promise<number> {
	await until(async () => (await sentinel.primary()) !== master, {
		what: `the Sentinels name another master than ${master.port}`,
		timeoutMs: 15_000,
	});
	return Date.now();
}

/** Resolves with the time at which this server has become a replica. */
export async function demoted(server: RedisServer): Promise<number> {
	// A Sentinel drops all connections to a server that it demotes, that of the tests as well.
	const role = (): Promise<string | undefined> =>
		server.info('replication').then(
			({ role }) => role,
			() => undefined,
		);
	await until(async () => (await role()) === 'slave', { what: `${server.port} becomes a replica`, timeoutMs: 15_000 });
	return Date.now();
}
