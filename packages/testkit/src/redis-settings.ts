import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Identity } from './self-signed.ts';

/** The settings of a `redis-server`, apart from the caller's `args`. */
export interface RedisSettings {
	/** The server's data directory. */
	dir: string;
	replicaOf: { host: string; port: number } | undefined;
	password: string | undefined;
	/** If set, the server accepts only TLS. */
	identity: Identity | undefined;
	/** Further lines for the configuration file. */
	config: readonly string[];
}

const CONFIG_FILE = 'testkit.conf';
const CERT_FILE = 'testkit.crt';
const KEY_FILE = 'testkit.key';

/**
 * Writes the files that the server reads. Called only once, so that the server's own changes to them (CONFIG REWRITE, a
 * Sentinel's state) survive a restart. The role is set here for the same reason: an argument would override the file.
 */
export function writeFiles({ dir, replicaOf, identity, config }: RedisSettings): void {
	const role = replicaOf ? [`replicaof ${replicaOf.host} ${replicaOf.port}`] : [];
	writeFileSync(join(dir, CONFIG_FILE), [...role, ...config, ''].join('\n'));
	if (!identity) return;
	writeFileSync(join(dir, CERT_FILE), identity.cert);
	writeFileSync(join(dir, KEY_FILE), identity.key, { mode: 0o600 });
}

/** Returns the arguments for `redis-server`; with `busPort`, those for a cluster node. */
export function commandLine({ dir, password, identity }: RedisSettings, port: number, busPort?: number): string[] {
	const values = {
		port: String(port),
		bind: '127.0.0.1',
		dir,
		save: '',
		appendonly: 'no',
		daemonize: 'no',
		// By default, a primary waits five seconds for further replicas before it syncs the first one.
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
