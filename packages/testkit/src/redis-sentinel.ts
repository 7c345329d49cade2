import { fulfilled } from './fulfilled.ts';
import { startRedis } from './redis-server.ts';
import type { RedisServer } from './redis-server.ts';
import { startSentinel } from './sentinel-process.ts';
import { reasonNotReady } from './sentinel-readiness.ts';
import { primaryPort } from './sentinel-view.ts';
import { startAll, stopAll } from './start-all.ts';
import { until } from './until.ts';

const NAME = 'mymaster';

export interface SentinelOptions {
	/** The number of replicas. Default 1. */
	replicas?: number;
	/** The number of Sentinels. Default 3. A failover needs more than half of them. */
	sentinels?: number;
	/** How long a server must be silent for a Sentinel to consider it down, in milliseconds. Default 1000. */
	downAfterMs?: number;
	/** Further `redis-server` arguments for the primary and replicas, which override the defaults. */
	args?: readonly string[];
	/** Added to the environment of primary and replicas. A Sentinel whose clock is set suspends its work for a while. */
	env?: Record<string, string>;
	/**
	 * The password that the primary and replicas require; Sentinels require none. It must not contain spaces or quotes,
	 * because a Sentinel can't store them.
	 */
	password?: string;
}

/**
 * A real primary with replicas, and the Sentinels that monitor them. Each of these servers can be killed, frozen and
 * restarted.
 */
export interface RedisSentinel {
	/** The name by which clients find the primary: `new Redis({ sentinels, name })`. */
	readonly name: 'mymaster';
	readonly sentinels: readonly RedisServer[];
	/** All servers: first the initial primary, then the replicas. */
	readonly servers: readonly RedisServer[];
	/** Resolves with the server that most Sentinels report as the primary. */
	primary(): Promise<RedisServer>;
	/**
	 * Promotes a replica, even if the primary is healthy. Resolves when another server is primary and everything is
	 * `ready`.
	 */
	failover(): Promise<void>;
	/**
	 * Resolves when all running Sentinels agree on a running primary and know all other Sentinels, and all other running
	 * servers are in sync with the primary. After a kill of the primary, this means that the failover is complete.
	 * Rejects after `timeoutMs` (default 15000) with the reason.
	 */
	ready(timeoutMs?: number): Promise<void>;
	stop(): Promise<void>;
}

/** Starts the primary, replicas and Sentinels. Resolves when everything is ready. */
export async function startRedisSentinel(options: SentinelOptions = {}): Promise<RedisSentinel> {
	const { replicas = 1, sentinels: sentinelCount = 3, downAfterMs = 1000, args = [], env = {}, password } = options;
	if (password !== undefined && /[\s'"\\]/.test(password)) {
		throw new Error("the password must not contain spaces or quotes: a Sentinel can't store it");
	}
	const quorum = Math.floor(sentinelCount / 2) + 1;
	const serverOptions = { args, env, ...(password !== undefined && { password }) };
	const servers: RedisServer[] = [];
	const sentinels: RedisServer[] = [];
	const parts = { name: NAME, servers, sentinels };
	try {
		const primary = await startRedis(serverOptions);
		servers.push(primary);
		const replicaOptions = { ...serverOptions, replicaOf: { host: primary.host, port: primary.port } };
		servers.push(...(await startAll(Array.from({ length: replicas }, () => startRedis(replicaOptions)))));
		// The replicas must be connected, because a Sentinel discovers them when it first connects to the primary.
		await Promise.all(servers.slice(1).map((replica) => replica.linkUp()));
		const monitored = { name: NAME, primary, quorum, downAfterMs, password };
		sentinels.push(...(await startAll(Array.from({ length: sentinelCount }, () => startSentinel(monitored)))));
		const sentinel = sentinelOf(parts);
		await sentinel.ready();
		return sentinel;
	} catch (error) {
		await stopAll([...sentinels, ...servers]);
		throw error;
	}
}

function sentinelOf(parts: { servers: readonly RedisServer[]; sentinels: readonly RedisServer[] }): RedisSentinel {
	const { servers, sentinels } = parts;
	const running = (): RedisServer[] => sentinels.filter(({ state }) => state === 'running');

	const primary = async (): Promise<RedisServer> => {
		const ports = await fulfilled(running().map((sentinel) => primaryPort(sentinel, NAME)));
		const votes = (server: RedisServer): number => ports.filter((port) => port === server.port).length;
		const first = servers.toSorted((one, other) => votes(other) - votes(one))[0];
		if (!first || votes(first) === 0) throw new Error('no Sentinel answers');
		return first;
	};

	const ready = async (timeoutMs = 15_000): Promise<void> => {
		let reason: string | undefined;
		await until(async () => (reason = await reasonNotReady({ name: NAME, ...parts })) === undefined, {
			what: () => `primary, replicas and Sentinels are ready: ${reason}`,
			timeoutMs,
		});
	};

	return {
		name: NAME,
		sentinels,
		servers,
		primary,
		ready,
		async failover() {
			const before = await primary();
			const [sentinel] = running();
			await sentinel?.command('SENTINEL', 'FAILOVER', NAME);
			await until(async () => (await primary()) !== before, {
				what: () => `the Sentinels have promoted another server\n${sentinel?.log()}`,
				timeoutMs: 15_000,
			});
			await ready();
		},
		stop: () => stopAll([...sentinels, ...servers]),
	};
}
