import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Identity } from './self-signed.ts';

/** What a `redis-server` is told about itself, besides the caller's own `args`. */
export interface RedisSettings {
	/** Where it keeps its data. */
	dir: string;
	replicaOf: { host: string; port: number } | undefined;
	password: string | undefined;
	/** Serves TLS alone. */
	identity: Identity | undefined;
	/** Lines for its configuration file. */
	config: readonly string[];
}

const CONFIG_FILE = 'testkit.conf';
const CERT_FILE = 'testkit.crt';
const KEY_FILE = 'testkit.key';

/**
 * The files that it reads, to be written once: what it writes there itself (CONFIG REWRITE, and a Sentinel's doing)
 * survives a restart. So the role stands here and not among the arguments, which would win over the file.
 */
export function writeFiles({ dir, replicaOf, identity, config }: RedisSettings): void {
	const role = replicaOf ? [`replicaof ${replicaOf.host} ${replicaOf.port}`] : [];
	writeFileSync(join(dir, CONFIG_FILE), [...role, ...config, ''].join('\n'));
	if (!identity) return;
	writeFileSync(join(dir, CERT_FILE), identity.cert);
	writeFileSync(join(dir, KEY_FILE), identity.key, { mode: 0o600 });
}

/** `busPort` makes it a cluster node. */
export function commandLine({ dir, password, identity }: RedisSettings, port: number, busPort?: number): string[] {
	const values = {
		port: String(port),
		bind: '127.0.0.1',
		dir,
		save: '',
		appendonly: 'no',
		daemonize: 'no',
		// Or a primary waits five seconds, for more replicas to come, before it serves the first.
		'repl-diskless-sync-delay': '0',
		...(password !== undefined && { requirepass: password, masterauth: password }),
		...(busPort !== undefined && { 'cluster-enabled': 'yes', 'cluster-port': String(busPort) }),
		...(identity && tls(dir, port)),
	};
	return [join(dir, CONFIG_FILE), ...Object.entries(values).flatMap(([name, value]) => [`--${name}`, value])];
}

function tls(dir: string, port: number): Record<string, string> {
	return {
		port: '0',
		'tls-port': String(port),
		'tls-cert-file': join(dir, CERT_FILE),
		'tls-key-file': join(dir, KEY_FILE),
		'tls-ca-cert-file': join(dir, CERT_FILE),
		'tls-auth-clients': 'no',
		'tls-replication': 'yes',
		'tls-cluster': 'yes',
	};
}
