import { show } from '@orijs/websocket/internal';
import { Redis, type RedisOptions } from 'ioredis';
import { InvalidRedisOptionError } from '../errors.ts';
import { clientOfUrl } from '../server/client-options.ts';
import type { ClusterAddress } from './topology.ts';

/** A node as ioredis's `Cluster` accepts it: host, port and further options; a URL; `host:port`; or a port. */
export type RedisClusterNode = RedisOptions | string | number;

/** @throws {InvalidRedisOptionError} */
export function addressOf(node: RedisClusterNode): ClusterAddress {
	// The port may be text, as in an environment variable.
	const { host, port } = parse(node) as { readonly host?: string; readonly port?: number | string };
	return { host: host || '127.0.0.1', port: Number(port || 6379) };
}

/** Returns the options that belong to this node alone, such as its credentials. */
export function ownOptions(node: RedisClusterNode): RedisOptions {
	const given = Object.entries(parse(node)).filter(([, value]) => value !== undefined);
	return Object.fromEntries(given) as RedisOptions;
}

const UNCONNECTED = { lazyConnect: true, replyMapping: 'legacy' } as const;

function parse(node: RedisClusterNode): RedisOptions {
	if (typeof node === 'object' && node !== null && !Array.isArray(node)) return node;
	if (typeof node === 'number') return { port: node };
	if (typeof node !== 'string') {
		throw new InvalidRedisOptionError(
			`connection.cluster must list nodes as { host, port }, optionally with further options, or as URLs, not ${show(node)}`,
		);
	}
	// ioredis does not export its parser. The options that differ from the defaults are those in the text.
	const defaults = new Redis(UNCONNECTED).options as Record<string, unknown>;
	const options = Object.entries(clientOfUrl(node, UNCONNECTED).options);
	return Object.fromEntries(options.filter(([name, value]) => value !== defaults[name])) as RedisOptions;
}
