import { freePort } from './free-port.ts';
import { launchRedis, RedisStartError } from './redis-process.ts';
import type { RunningRedis } from './redis-process.ts';
import { connectResp } from './resp-connection.ts';
import type { RespConnection } from './resp-connection.ts';
import { scratchDir } from './scratch-dir.ts';

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
}

/** A real Redis on loopback; without persistence unless `args` say otherwise. It can't outlive the test. */
export interface RedisServer {
	readonly host: string;
	readonly port: number;
	/** `redis://127.0.0.1:{port}` */
	readonly url: string;
	/** Of the present process: `restart` changes it. */
	readonly pid: number;
	/**
	 * For administration: `command('PUBSUB', 'NUMSUB', 'chat')`. All commands share one connection, which survives
	 * `CLIENT KILL TYPE …` (Redis spares the caller) and is opened again after a restart. Rejects with `RedisReplyError`
	 * for an error reply, and when Redis is down, or frozen for 5 s.
	 */
	command(...args: string[]): Promise<unknown>;
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
	const { args = [], timeoutMs = 10_000 } = options;
	const scratch = options.dir === undefined ? scratchDir('orijs-redis-') : undefined;
	const dir = options.dir ?? scratch?.path ?? '';

	const launch = (port: number): Promise<RunningRedis> => launchRedis({ port, dir, args, timeoutMs });
	try {
		const { port, running } = await launchOnSomePort(options.port, launch);
		return serverOf(port, running, launch, () => scratch?.remove());
	} catch (error) {
		scratch?.remove();
		throw error;
	}
}

type Launch = (port: number) => Promise<RunningRedis>;

/** A free port may be taken before Redis listens on it; then another one is tried. */
async function launchOnSomePort(
	wanted: number | undefined,
	launch: Launch,
): Promise<{ port: number; running: RunningRedis }> {
	for (let attempt = 1; ; attempt++) {
		const port = wanted ?? (await freePort());
		try {
			return { port, running: await launch(port) };
		} catch (error) {
			const another = wanted === undefined && attempt < PORT_TRIES;
			if (!another || !(error instanceof RedisStartError && error.portUnusable)) throw error;
		}
	}
}

function serverOf(port: number, first: RunningRedis, launch: Launch, cleanUp: () => void): RedisServer {
	let { process } = first;
	let admin = Promise.resolve(first.admin);
	let stopped = false;

	const openAdmin = async (previous: Promise<RespConnection>): Promise<RespConnection> => {
		const connection = await previous.catch(() => undefined);
		return connection && !connection.closed ? connection : connectResp(port);
	};
	const ended = async (): Promise<void> => {
		const connection = await admin.catch(() => undefined);
		connection?.close();
	};
	return {
		host: HOST,
		port,
		url: `redis://${HOST}:${port}`,
		get pid() {
			return process.pid;
		},
		async command(...args) {
			admin = openAdmin(admin);
			return (await admin).command(args);
		},
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
			const running = await launch(port);
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
