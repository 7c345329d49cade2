import { type RedisSentinel, type RedisServer, startRedisSentinel, until } from '@orijs/testkit';
import type { Backend } from './backend.ts';

export interface SentinelBackend extends Backend {
	readonly sentinel: RedisSentinel;
}

/** Starts a primary and a replica, watched by three Sentinels through which the nodes connect. */
export async function redisSentinel(env: Readonly<Record<string, string>>): Promise<SentinelBackend> {
	const sentinel = await startRedisSentinel({ env });
	const sentinels = sentinel.sentinels.map(({ host, port }) => ({ host, port }));
	return {
		sentinel,
		connection: { sentinels, name: sentinel.name },
		ports: sentinel.servers.map(({ port }) => port),
		stop: () => sentinel.stop(),
	};
}

/** Resolves when most Sentinels name a primary other than this one, with the time. */
export async function failedOver(sentinel: RedisSentinel, primary: RedisServer): Promise<number> {
	await until(async () => (await sentinel.primary()) !== primary, {
		what: `the Sentinels name another primary than ${primary.port}`,
		timeoutMs: 15_000,
	});
	return Date.now();
}

/** Resolves when this server has become a replica, with the time. */
export async function demoted(server: RedisServer): Promise<number> {
	// A Sentinel drops all connections to a server that it demotes, including the test's.
	const role = (): Promise<string | undefined> =>
		server.info('replication').then(
			({ role }) => role,
			() => undefined,
		);
	await until(async () => (await role()) === 'slave', { what: `${server.port} becomes a replica`, timeoutMs: 15_000 });
	return Date.now();
}
