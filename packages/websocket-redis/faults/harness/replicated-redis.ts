import { type RedisServer, startRedis, until } from '@orijs/testkit';
import type { Backend } from './backend.ts';

export interface ReplicatedRedis extends Backend {
	readonly primary: RedisServer;
	readonly replica: RedisServer;
}

/** Starts a primary, to which the nodes connect at first, and its replica. */
export async function replicatedRedis(env: Readonly<Record<string, string>>): Promise<ReplicatedRedis> {
	const args = ['--repl-diskless-sync-delay', '0'];
	const primary = await startRedis({ args, env });
	const replica = await startRedis({ env, args: [...args, '--replicaof', `${primary.host} ${primary.port}`] });
	await until(async () => String(await replica.command('INFO', 'replication')).includes('master_link_status:up'), {
		what: 'the replica is connected to its primary',
	});
	return {
		primary,
		replica,
		connection: { host: primary.host, port: primary.port },
		port: primary.port,
		stop: async () => void (await Promise.all([primary.stop(), replica.stop()])),
	};
}
