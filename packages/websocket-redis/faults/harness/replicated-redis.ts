import { type RedisServer, startRedis, until } from '@orijs/testkit';
import type { Backend } from './backend.ts';

export interface ReplicatedRedis extends Backend {
	readonly master: RedisServer;
	readonly replica: RedisServer;
}

/** A master, where the nodes begin, and a replica that follows it. */
export async function replicatedRedis(): Promise<ReplicatedRedis> {
	const args = ['--repl-diskless-sync-delay', '0'];
	const master = await startRedis({ args });
	const replica = await startRedis({ args: [...args, '--replicaof', `${master.host} ${master.port}`] });
	await until(async () => String(await replica.command('INFO', 'replication')).includes('master_link_status:up'), {
		what: 'the replica follows its master',
	});
	return {
		master,
		replica,
		connection: { host: master.host, port: master.port },
		port: master.port,
		stop: async () => void (await Promise.all([master.stop(), replica.stop()])),
	};
}
