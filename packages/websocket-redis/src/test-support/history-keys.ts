import type { RedisServer } from '@orijs/testkit';

/** Returns the keys of a server that are not those of beats, in order. */
export async function historyKeys(server: Pick<RedisServer, 'command'>): Promise<string[]> {
	return withoutBeats((await server.command('KEYS', '*')) as string[]);
}

/** Returns the keys that are not those of beats, in order. */
export function withoutBeats(keys: readonly string[]): string[] {
	return keys.filter((key) => !/!.*\}:(beats|seen|nodes)$/.test(key)).toSorted();
}
