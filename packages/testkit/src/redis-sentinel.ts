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
	/** Default 1. */
	replicas?: number;
	/** Default 3; more than half of them have to agree. */
	sentinels?: number;
	/** Milliseconds of silence after which a Sentinel takes a server for down; default 1000. */
	downAfterMs?: number;
	/** More `redis-server` arguments for primary and replicas; they win over ours. */
	args?: readonly string[];
	/** Of primary and replicas; the Sentinels themselves want none. No spaces and quotes: a Sentinel can't write them down. */
	password?: string;
}

/** A real primary with replicas and the Sentinels that watch them. Each can be killed, frozen and restarted on its own. */
export interface RedisSentinel {
	/** Under which clients ask for the primary: `new Redis({ sentinels, name })`. */
	readonly name: 'mymaster';
	readonly sentinels: readonly RedisServer[];
	/** The one that was primary at the start first, then the replicas. */
	readonly servers: readonly RedisServer[];
	/** Where most Sentinels send clients now. */
	primary(): Promise<RedisServer>;
	/** Has a replica take over, though the primary may be well. Resolves when it is `ready` again, with another primary. */
	failover(): Promise<void>;
	/**
	 * Resolves when all Sentinels that run agree on a primary that runs and know of all others, and all other servers that
	 * run are in sync with it. So, right after a kill of the primary: when the failover is done. Rejects after `timeoutMs`
	 * (default 15000) with what was missing.
	 */
	ready(timeoutMs?: number): Promise<void>;
	stop(): Promise<void>;
}

/** Resolves when it is ready. */
export async function startRedisSentinel(options: SentinelOptions = {}): Promise<RedisSentinel> {
	const { replicas = 1, sentinels: watchers = 3, downAfterMs = 1000, args = [], password } = options;
	if (password !== undefined && /[\s'"\\]/.test(password)) {
		throw new Error('a Sentinel writes a password into its configuration unquoted: take one without spaces and quotes');
	}
	const quorum = Math.floor(watchers / 2) + 1;
	const serverOptions = { args, ...(password !== undefined && { password }) };
	const servers: RedisServer[] = [];
	const sentinels: RedisServer[] = [];
	const parts = { name: NAME, servers, sentinels };
	try {
		const primary = await startRedis(serverOptions);
		servers.push(primary);
		const replicaOptions = { ...serverOptions, replicaOf: { host: primary.host, port: primary.port } };
		servers.push(...(await startAll(Array.from({ length: replicas }, () => startRedis(replicaOptions)))));
		// A Sentinel looks for replicas when it first sees the primary.
		await Promise.all(servers.slice(1).map((replica) => replica.linkUp()));
		const watch = { name: NAME, primary, quorum, downAfterMs, password };
		sentinels.push(...(await startAll(Array.from({ length: watchers }, () => startSentinel(watch)))));
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
		const most = servers.toSorted((one, other) => votes(other) - votes(one))[0];
		if (!most || votes(most) === 0) throw new Error('no Sentinel answers');
		return most;
	};

	const ready = async (timeoutMs = 15_000): Promise<void> => {
		let missing: string | undefined;
		await until(async () => (missing = await reasonNotReady({ name: NAME, ...parts })) === undefined, {
			what: () => `primary, replicas and Sentinels are ready; last, ${missing}`,
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
				what: () => `the Sentinels have made another server primary\n${sentinel?.log()}`,
				timeoutMs: 15_000,
			});
			await ready();
		},
		stop: () => stopAll([...sentinels, ...servers]),
	};
}
