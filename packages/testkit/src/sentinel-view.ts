import type { RedisServer } from './redis-server.ts';
import { RedisReplyError } from './resp.ts';

/** The fields that a Sentinel reports about a server. The `flags` of a healthy server are just `master` or `slave`. */
export type SentinelFields = Readonly<Record<string, string>>;

/** A primary and its replicas as one Sentinel sees them. */
export interface SentinelView {
	readonly primary: SentinelFields;
	readonly replicas: readonly SentinelFields[];
	/** Whether the Sentinel reaches enough other Sentinels for a failover. */
	readonly quorum: boolean;
}

export async function askSentinel(sentinel: RedisServer, name: string): Promise<SentinelView> {
	const primary = (await sentinel.command('SENTINEL', 'MASTER', name)) as string[];
	const replicas = (await sentinel.command('SENTINEL', 'REPLICAS', name)) as string[][];
	return { primary: fieldsOf(primary), replicas: replicas.map(fieldsOf), quorum: await hasQuorum(sentinel, name) };
}

/**
 * Resolves with the port of the primary that the Sentinel reports to clients. During a failover, this is the new
 * primary's port from its promotion on.
 */
export async function primaryPort(sentinel: RedisServer, name: string): Promise<number> {
	const [, port] = (await sentinel.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)) as [string, string];
	return Number(port);
}

async function hasQuorum(sentinel: RedisServer, name: string): Promise<boolean> {
	try {
		await sentinel.command('SENTINEL', 'CKQUORUM', name);
		return true;
	} catch (error) {
		if (error instanceof RedisReplyError) return false;
		throw error;
	}
}

/** Parses a list of alternating names and values. */
function fieldsOf(list: readonly string[]): SentinelFields {
	return Object.fromEntries(list.flatMap((name, index) => (index % 2 === 0 ? [[name, list[index + 1] ?? '']] : [])));
}
