import type { Redis } from 'ioredis';

/** What a server says of itself; undefined where it may not be asked. */
export interface ServerInfo {
	readonly isReplica: boolean | undefined;
	/** Differs between servers, and between runs of one server. */
	readonly runId: string | undefined;
}

/** Asks a server what it is. Rejects when the connection fails. */
export async function serverInfo(client: Redis): Promise<ServerInfo> {
	const [role, info] = await Promise.all([unlessForbidden(client.role()), unlessForbidden(client.info('server'))]);
	return {
		isReplica: Array.isArray(role) ? role[0] === 'slave' : undefined,
		runId: info === undefined ? undefined : /run_id:(\w+)/.exec(info)?.[1],
	};
}

async function unlessForbidden<T>(answer: Promise<T>): Promise<T | undefined> {
	try {
		return await answer;
	} catch (error) {
		if (error instanceof Error && error.name === 'ReplyError') return undefined;
		throw error;
	}
}
