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
	/** Default: a free port. */
	port?: number;
	/** Further `redis-server` arguments, which override the defaults: `['--appendonly', 'yes']`. */
	args?: readonly string[];
	/** Added to the environment of its process. */
	env?: Record<string, string>;
	/** Its data directory. Default: a new one, removed by `stop`. A given one is kept. */
	dir?: string;
	/** Milliseconds a start may take, including loading of data; default 10000. */
	timeoutMs?: number;
	/** Starts as a replica of this server. It may not be connected yet when the start resolves: see `linkUp`. */
	replicaOf?: { host: string; port: number };
	/** Required of clients, and sent to its own primary. `command` authenticates itself. */
	password?: string;
	/** Accepts only TLS, and uses it for replication too; verify with `ca`. Servers of one thread trust each other. */
	tls?: boolean;
	/** Starts a cluster node, with a free port for its cluster bus. For a whole cluster, see `startRedisCluster`. */
	cluster?: boolean;
	/** Lines of its configuration file. Changes by CONFIG REWRITE survive a restart, which applies `args` again. */
	config?: readonly string[];
}

/** A real Redis on loopback, without persistence by default. It never outlives the test. */
export interface RedisServer {
	readonly host: string;
	readonly port: number;
	/** `redis://127.0.0.1:{port}`, with the password if there is one; `rediss:` for TLS. */
	readonly url: string;
	/** The CA certificate of its certificate, PEM: `new Redis(url, { tls: { ca } })`. Only with `tls`. */
	readonly ca: string | undefined;
	/** The current process's id: `restart` changes it. */
	readonly pid: number;
	/** Of the current process; `ended` after a kill, and after Redis exited on its own. */
	readonly state: ProcessState;
	/**
	 * Sends an administrative command: `command('PUBSUB', 'NUMSUB', 'chat')`. All commands share one connection, which
	 * survives `CLIENT KILL TYPE …` (Redis skips the caller) and is reopened after a restart. Rejects with
	 * `RedisReplyError` for an error reply, and if Redis is down, or frozen for 5 s.
	 */
	command(...args: string[]): Promise<unknown>;
	/** Returns the fields of `INFO`, or of one section: `(await redis.info('replication'))['role']`. */
	info(section?: string): Promise<RedisInfo>;
	/**
	 * On a replica: resolves once it is connected to its primary and has its data (`master_link_status:up`). Later
	 * writes may take up to another second: see `replicated`. Rejects after `timeoutMs` (default 10000), with the log,
	 * and if Redis is down.
	 */
	linkUp(timeoutMs?: number): Promise<void>;
	/**
	 * On a primary: resolves once `count` replicas (default 1) have all its data and receive new writes and publishes
	 * immediately. Rejects after `timeoutMs` (default 10000).
	 */
	replicated(count?: number, timeoutMs?: number): Promise<void>;
	/** Returns the last 64 KiB of the current process's log. */
	log(): string;
	/** Suspends it: connections stay open, the system still accepts new ones, no command is answered. */
	freeze(): void;
	/** Resumes it. It first handles everything that was sent to it meanwhile. */
	thaw(): void;
	/** Sends SIGKILL; resolves when the process has ended. `restart` starts it again. */
	kill(): Promise<void>;
	/** Starts a new process with the same port and directory, after stopping one that is running (SIGTERM). */
	restart(): Promise<void>;
	/** Ends the process and removes the directory. Idempotent. */
	stop(): Promise<void>;
}

/** Resolves when Redis answers. Rejects with `RedisStartError`, which includes the log, if it does not start. */
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

/** Chooses the ports; the returned `launch` can be called repeatedly. */
type Prepare = () => Promise<{ address: RespAddress; launch: Launch }>;

/** Another process may take a free port before Redis listens on it; then retries with other ports. */
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
