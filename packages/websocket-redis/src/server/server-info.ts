import type { Redis } from 'ioredis';
import { isRefusal } from './client-options.ts';

/** The information that a server reports in `INFO`. A field that the user may not read is undefined or 0. */
export interface ServerInfo {
	readonly isReplica: boolean | undefined;
	/** Whether the server is a node of a Redis Cluster. */
	readonly isClusterNode: boolean;
	/** An id that differs between servers, and between runs of the same server. */
	readonly runId: string | undefined;
	/** When the server was started, by the monotonic clock, to the nearest second. */
	readonly startedAt: number | undefined;
	/** The number of connected replicas. */
	readonly replicas: number;
	/** The time since the slowest replica last reported, in milliseconds. */
	readonly lagMs: number;
}

/** Reads a server's `INFO`. Rejects if the connection fails. */
export async function serverInfo(client: Redis): Promise<ServerInfo> {
	const asked = performance.now();
	const info = (await Promise.all([section(client, 'server'), section(client, 'replication')])).join('\n');
	const field = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
	const role = field('role');
	const uptime = field('uptime_in_seconds');
	const lags = Array.from(info.matchAll(/^slave\d+:.*\blag=(\d+)/gm), ([, seconds]) => Number(seconds) * 1_000);
	return {
		isReplica: role === undefined ? undefined : role === 'slave',
		isClusterNode: field('redis_mode') === 'cluster',
		runId: field('run_id'),
		// A server whose clock was set back since it started may give a negative uptime: it has run for an unknown time.
		startedAt: uptime === undefined ? undefined : Number(uptime) < 0 ? -Infinity : asked - Number(uptime) * 1_000,
		replicas: Number(field('connected_slaves') ?? 0),
		lagMs: Math.max(0, ...lags),
	};
}

async function section(client: Redis, name: string): Promise<string> {
	try {
		return await client.info(name);
	} catch (error) {
		if (isRefusal(error)) return '';
		throw error;
	}
}
