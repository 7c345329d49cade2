import { startRedis } from './redis-server.ts';
import type { RedisServer } from './redis-server.ts';

/**
 * A Sentinel's periods, in milliseconds. By default, a Sentinel takes 2 s to find others, 8 s (four times its
 * `publish-period`) to demote an old primary, and 30 s to leave TILT mode. During a failover, it checks only once a
 * second whether the replica has been promoted: the other Sentinels MUST wait clearly longer than that, or they would
 * demote the new primary again.
 */
const PERIODS = {
	'publish-period': 500,
	'info-period': 500,
	'ping-period': 200,
	'ask-period': 200,
	'tilt-period': 1000,
};

export interface MonitoredPrimary {
	name: string;
	primary: RedisServer;
	quorum: number;
	downAfterMs: number;
	password: string | undefined;
}

/**
 * Starts a Sentinel. It is a `redis-server` in another mode, so it can be killed, frozen and restarted in the same way.
 */
export async function startSentinel(monitored: MonitoredPrimary): Promise<RedisServer> {
	const server = await startRedis({ config: configOf(monitored), args: ['--sentinel'] });
	const { restart } = server;
	await shortenPeriods(server);
	return Object.assign(server, {
		async restart() {
			await restart();
			await shortenPeriods(server);
		},
	});
}

function configOf({ name, primary, quorum, downAfterMs, password }: MonitoredPrimary): string[] {
	return [
		`sentinel monitor ${name} ${primary.host} ${primary.port} ${quorum}`,
		`sentinel down-after-milliseconds ${name} ${downAfterMs}`,
		// How long a failover that is stuck blocks the next one.
		`sentinel failover-timeout ${name} 5000`,
		...(password === undefined ? [] : [`sentinel auth-pass ${name} ${password}`]),
	];
}

/** Shortens the Sentinel's periods. Needs Redis 7.0, and applies only to the current process. */
async function shortenPeriods(sentinel: RedisServer): Promise<void> {
	await sentinel.command('SENTINEL', 'DEBUG', ...Object.entries(PERIODS).flat().map(String));
}
