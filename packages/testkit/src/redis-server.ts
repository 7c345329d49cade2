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
	/** Default: a free one. */
	port?: number;
	/** More `redis-server` arguments; they win over ours: `['--appendonly', 'yes']`. */
	args?: readonly string[];
	/** Where it keeps its data. Default: a directory that `stop` removes; a given one stays. */
	dir?: string;
	/** Milliseconds a start may take, loading of data included; default 10000. */
	timeoutMs?: number;
	/** Starts as a replica of this one. It may still be on its way there when the start resolves: see `linkUp`. */
	replicaOf?: { host: string; port: number };
	/** What clients have to say, and what it says to its own primary. `command` needs nothing more. */
	password?: string;
	/** TLS and nothing else, towards a primary as well; `ca` verifies it. All servers of a thread trust each other. */
	tls?: boolean;
	/** A cluster node, its bus on a free port of its own; see `startRedisCluster` for a whole cluster. */
	cluster?: boolean;
	/** Lines for its configuration file, which CONFIG REWRITE rewrites: what is there survives a restart, `args` come back. */
	config?: readonly string[];
}

/** A real Redis on loopback; without persistence unless `args` say otherwise. It can't outlive the test. */
export interface RedisServer {
	readonly host: string;
	readonly port: number;
	/** `redis://127.0.0.1:{port}`; with the password, and `rediss:` for TLS. */
	readonly url: string;
	/** The certificate that its own is verified with, PEM: `new Redis(url, { tls: { ca } })`. Only with `tls`. */
	readonly ca: string | undefined;
	/** Of the present process: `restart` changes it. */
	readonly pid: number;
	/** Of the present process; `ended` after a kill, and when Redis ended itself. */
	readonly state: ProcessState;
	/**
	 * For administration: `command('PUBSUB', 'NUMSUB', 'chat')`. All commands share one connection, which survives
	 * `CLIENT KILL TYPE …` (Redis spares the caller) and is opened again after a restart. Rejects with `RedisReplyError`
	 * for an error reply, and when Redis is down, or frozen for 5 s.
	 */
	command(...args: string[]): Promise<unknown>;
	/** `INFO`, or one section of it, by name: `(await redis.info('replication'))['role']`. */
	info(section?: string): Promise<RedisInfo>;
	/**
	 * Of a replica: resolves once it is connected with its primary and has its data (`master_link_status:up`). What the primary
	 * sends next may come up to a second later: see `replicated`. Rejects after `timeoutMs` (default 10000), with the log, and
	 * when it is down.
	 */
	linkUp(timeoutMs?: number): Promise<void>;
	/**
	 * Of a primary: resolves once `count` replicas (default 1) have all it has, and get writes and publishes as they come.
	 * Rejects after `timeoutMs` (default 10000).
	 */
	replicated(count?: number, timeoutMs?: number): Promise<void>;
	/** What the present process logged, at most the last 64 KiB. */
	log(): string;
	/** Hangs it: connections stay open, the system still accepts new ones, nothing is answered. */
	freeze(): void;
	/** It goes on, and first handles everything that was sent to it meanwhile. */
	thaw(): void;
	/** SIGKILL; resolves when it is gone. `restart` brings it back. */
	kill(): Promise<void>;
	/** A fresh process on the same port and directory; one that still runs is stopped (SIGTERM) first. */
	restart(): Promise<void>;
	/** The end of it: process and directory are gone. Twice is fine. */
	stop(): Promise<void>;
}

/** Resolves when it answers. Rejects with `RedisStartError`, which shows Redis' log, when it does not come up. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
	const { args = [], config = [], timeoutMs = 10_000, replicaOf, password } = options;
	const scratch = options.dir === undefined ? scratchDir('orijs-redis-') : undefined;
	const dir = options.dir ?? scratch?.path ?? '';
	const identity = options.tls ? selfSigned() : undefined;
	const settings = { dir, replicaOf, password, identity, config };

	const prepare: Prepare = async () => {
		const address = { port: options.port ?? (await freePort()), password, ca: identity?.cert };
		const busPort = options.cluster ? await freePort() : undefined;
		const allArgs = [...commandLine(settings, address.port, busPort), ...args];
		return { address, launch: () => launchRedis({ address, args: allArgs, timeoutMs }) };
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

/** Chooses ports, for a process that may then be launched on them again and again. */
type Prepare = () => Promise<{ address: RespAddress; launch: Launch }>;

/** A free port may be taken before Redis listens on it; then other ones are tried. */
async function launchOnFreePorts(
	prepare: Prepare,
	othersMayDo: boolean,
): Promise<{ address: RespAddress; launch: Launch; running: RunningRedis }> {
	for (let attempt = 1; ; attempt++) {
		const prepared = await prepare();
		try {
			return { ...prepared, running: await prepared.launch() };
		} catch (error) {
			const another = othersMayDo && attempt < PORT_TRIES;
			if (!another || !(error instanceof RedisStartError && error.portUnusable)) throw error;
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
	const ended = async (): Promise<void> => {
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
				what: () => `Redis on port ${address.port} is linked to its primary\n${process.output()}`,
				timeoutMs,
			}),
		replicated: (count = 1, timeoutMs = 10_000) => waitForReplicas(command, count, timeoutMs),
		log: () => process.output(),
		freeze: () => process.freeze(),
		thaw: () => process.thaw(),
		async kill() {
			process.kill('SIGKILL');
			await process.exited;
			await ended();
		},
		async restart() {
			if (stopped) throw new Error('this Redis was stopped for good: start another one');
			await process.stop();
			await ended();
			const running = await launch();
			process = running.process;
			admin = Promise.resolve(running.admin);
		},
		async stop() {
			stopped = true;
			await process.stop();
			await ended();
			cleanUp();
		},
	};
}
