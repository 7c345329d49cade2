import { startRedis } from './redis-server.ts';
import type { RedisServer } from './redis-server.ts';

/**
 * Milliseconds. Left alone, a Sentinel takes 2 s to find others, 8 (four times its `publish-period`) to demote a primary that
 * should not be one, and 30 to forget a hiccup. During a failover it looks only once a second whether the replica was
 * promoted: the others MUST wait clearly longer than that before they demote that one again.
 */
const PERIODS = {
	'publish-period': 500,
	'info-period': 500,
	'ping-period': 200,
	'ask-period': 200,
	'tilt-period': 1000,
};

export interface SentinelWatch {
	name: string;
	primary: RedisServer;
	quorum: number;
	downAfterMs: number;
	password: string | undefined;
}

/** A Sentinel is a `redis-server` with another task: it can be killed, frozen and restarted like one. */
export async function startSentinel(watch: SentinelWatch): Promise<RedisServer> {
	const server = await startRedis({ config: configOf(watch), args: ['--sentinel'] });
	const { restart } = server;
	await hurry(server);
	return Object.assign(server, {
		async restart() {
			await restart();
			await hurry(server);
		},
	});
}

function configOf({ name, primary, quorum, downAfterMs, password }: SentinelWatch): string[] {
	return [
		`sentinel monitor ${name} ${primary.host} ${primary.port} ${quorum}`,
		`sentinel down-after-milliseconds ${name} ${downAfterMs}`,
		// How long a failover that got stuck stands in the way of the next one.
		`sentinel failover-timeout ${name} 5000`,
		...(password === undefined ? [] : [`sentinel auth-pass ${name} ${password}`]),
	];
}

/** Since Redis 7.0, and only for the present process. */
async function hurry(sentinel: RedisServer): Promise<void> {
	await sentinel.command('SENTINEL', 'DEBUG', ...Object.entries(PERIODS).flat().map(String));
}
