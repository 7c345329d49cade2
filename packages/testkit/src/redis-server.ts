import { freePort } from './free-port.ts';
import type { ProcessState } from './owned-process.ts';
import { parseInfo } from './redis-info.ts';
import type { RedisInfo } from './redis-info.ts';
import { launchRedis, RedisStartError } from './redis-process.ts';
import type { RunningRedis } from './redis-process.ts';
import { commandLine, writeFiles } from './redis-settings.ts';
import { waitForReplicas } from './replication.ts';
import { connectResp } from './resp-connection.ts';
import type { RespAddress, RespConnection } from './resp-connection.ts';
import { scratchDir } from './scratch-dir.ts';
import { selfSigned } from './self-signed.ts';
import { until } from './until.ts';

const HOST = '127.0.0.1';
const PORT_TRIES = 5;

export interface RedisOptions {
	/** The port to listen on. Default: a free port. */
	port?: number;
	/** Further `redis-server` arguments, which override the defaults, for example `['--appendonly', 'yes']`. */
	args?: readonly string[];
	/** Variables to add to the environment of its process. */
	env?: Record<string, string>;
	/** The data directory, which is kept. Default: a new directory, which `stop` removes. */
	dir?: string;
	/** How long a start may take, including loading data, in milliseconds. Default 10000. */
	timeoutMs?: number;
	/**
	 * The primary, if the server starts as a replica. The replica may not be connected yet when the start resolves; see
	 * `linkUp`.
	 */
	replicaOf?: { host: string; port: number };
	/**
	 * The password that clients must send, and that the server sends to its own primary. `command` authenticates
	 * automatically.
	 */
	password?: string;
	/**
	 * Whether the server accepts only TLS, and also uses it for replication. Clients verify the server with `ca`.
	 * Servers started in one thread trust each other.
	 */
	tls?: boolean;
	/**
	 * Whether to start a cluster node, with a free port for its cluster bus. For a whole cluster, see
	 * `startRedisCluster`.
	 */
	cluster?: boolean;
	/**
	 * Lines for the server's configuration file. Changes that CONFIG REWRITE makes to the file survive a restart. A
	 * restart applies `args` again, too.
	 */
	config?: readonly string[];
}

/** A real Redis on loopback, without persistence by default. It never outlives the test. */
export interface RedisServer {
	readonly host: string;
	readonly port: number;
	/** The server's URL, `redis://127.0.0.1:{port}`, with the password if there is one, and with `rediss:` for TLS. */
	readonly url: string;
	/** The server's CA certificate as PEM, for use in `new Redis(url, { tls: { ca } })`. Only set with `tls`. */
	readonly ca: string | undefined;
	/** The id of the current process, which `restart` changes. */
	readonly pid: number;
	/** The state of the current process. It is `ended` after a kill, or if Redis has exited on its own. */
	readonly state: ProcessState;
	/**
	 * Sends an administrative command, as in `command('PUBSUB', 'NUMSUB', 'chat')`. All commands share one connection.
	 * It survives `CLIENT KILL TYPE …`, which skips the caller's own connection, and is reopened after a restart.
	 * Rejects with `RedisReplyError` for an error reply. Also rejects if Redis is down, or has been frozen for 5 s.
	 */
	command(...args: string[]): Promise<unknown>;
	/**
	 * Resolves with the fields of `INFO`, or of one of its sections, as in `(await redis.info('replication'))['role']`.
	 */
	info(section?: string): Promise<RedisInfo>;
	/**
	 * On a replica: resolves once it is connected to its primary and has its data (`master_link_status:up`). Later
	 * writes may take up to another second to arrive; see `replicated`. Rejects with the log after `timeoutMs` (default
	 * 10000), or if Redis is down.
	 */
	linkUp(timeoutMs?: number): Promise<void>;
	/**
	 * On a primary: resolves once `count` replicas (default 1) have all of its data and receive new writes and published
	 * messages immediately. Rejects after `timeoutMs` (default 10000).
	 */
	replicated(count?: number, timeoutMs?: number): Promise<void>;
	/** Returns the last 64 KiB of the current process's log. */
	log(): string;
	/** Suspends the server. Connections stay open and the system still accepts new ones, but no command is answered. */
	freeze(): void;
	/** Resumes the server. It first handles everything that was sent to it in the meantime. */
	thaw(): void;
	/** Sends SIGKILL. Resolves when the process has ended. `restart` starts it again. */
	kill(): Promise<void>;
	/**
	 * Starts a new process with the same port and directory, after stopping the current one with SIGTERM if it is
	 * running.
	 */
	restart(): Promise<void>;
	/** Ends the process and removes the directory, unless `dir` was given. Can be called more than once. */
	stop(): Promise<void>;
}

/**
 * Starts a Redis. Resolves when it answers. If it does not start, rejects with a `RedisStartError`, which includes the
 * log.
 */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
	const { args = [], config = [], timeoutMs = 10_000, env = {}, replicaOf, password } = options;
	const scratch = options.dir === undefined ? scratchDir('orijs-redis-') : undefined;
	const dir = options.dir ?? scratch?.path ?? '';
	const identity = options.tls ? selfSigned() : undefined;
	const settings = { dir, replicaOf, password, identity, config };

	const prepare: Prepare = async () => {
		const address = { port: options.port ?? (await freePort()), password, ca: identity?.cert };
		const busPort = options.cluster ? await freePort() : undefined;
		const allArgs = [...commandLine(settings, address.port, busPort), ...args];
		return { address, launch: () => launchRedis({ address, args: allArgs, env, timeoutMs }) };
	};
	try {
		writeFiles(settings);
		const { address, launch, running } = await launchOnFreePorts(prepare, options.port === undefined);
		return serverOf(address, running, launch, () => scratch?.remove());
	} catch (error) {
		scratch?.remove();
		throw error;
	}
}

type Launch = () => Promise<RunningRedis>;

/** Chooses the ports. The returned `launch` can be called repeatedly. */
type Prepare = () => Promise<{ address: RespAddress; launch: Launch }>;

/**
 * Launches Redis. If another process has taken a free port before Redis could listen on it, tries again with other
 * ports.
 */
async function launchOnFreePorts(
	prepare: Prepare,
	retry: boolean,
): Promise<{ address: RespAddress; launch: Launch; running: RunningRedis }> {
	for (let attempt = 1; ; attempt++) {
		const prepared = await prepare();
		try {
			return { ...prepared, running: await prepared.launch() };
		} catch (error) {
			const portUnusable = error instanceof RedisStartError && error.portUnusable;
			if (!portUnusable || !retry || attempt === PORT_TRIES) throw error;
		}
	}
}

function urlOf({ port, password, ca }: RespAddress): string {
	const credentials = password === undefined ? '' : `:${encodeURIComponent(password)}@`;
	return `${ca === undefined ? 'redis' : 'rediss'}://${credentials}${HOST}:${port}`;
}

function serverOf(address: RespAddress, first: RunningRedis, launch: Launch, cleanUp: () => void): RedisServer {
	let { process } = first;
	let admin = Promise.resolve(first.admin);
	let stopped = false;

	const openAdmin = async (previous: Promise<RespConnection>): Promise<RespConnection> => {
		const connection = await previous.catch(() => undefined);
		return connection && !connection.closed ? connection : connectResp(address);
	};
	const closeAdmin = async (): Promise<void> => {
		const connection = await admin.catch(() => undefined);
		connection?.close();
	};
	const command = async (...args: string[]): Promise<unknown> => {
		admin = openAdmin(admin);
		return (await admin).command(args);
	};
	const info = async (section = 'default'): Promise<RedisInfo> => parseInfo(String(await command('INFO', section)));
	return {
		host: HOST,
		port: address.port,
		url: urlOf(address),
		ca: address.ca,
		get pid() {
			return process.pid;
		},
		get state() {
			return process.state();
		},
		command,
		info,
		linkUp: (timeoutMs = 10_000) =>
			until(async () => (await info('replication'))['master_link_status'] === 'up', {
				what: () => `Redis on port ${address.port} is connected to its primary\n${process.output()}`,
				timeoutMs,
			}),
		replicated: (count = 1, timeoutMs = 10_000) => waitForReplicas(command, count, timeoutMs),
		log: () => process.output(),
		freeze: () => process.freeze(),
		thaw: () => process.thaw(),
		async kill() {
			process.kill('SIGKILL');
			await process.exited;
			await closeAdmin();
		},
		async restart() {
			if (stopped) throw new Error('this Redis was stopped: start a new one');
			await process.stop();
			await closeAdmin();
			const running = await launch();
			process = running.process;
			admin = Promise.resolve(running.admin);
		},
		async stop() {
			stopped = true;
			await process.stop();
			await closeAdmin();
			cleanUp();
		},
	};
}
