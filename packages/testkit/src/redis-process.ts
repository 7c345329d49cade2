import { ownProcess } from './owned-process.ts';
import type { OwnedProcess } from './owned-process.ts';
import { connectResp } from './resp-connection.ts';
import type { RespAddress, RespConnection } from './resp-connection.ts';
import { RedisReplyError } from './resp.ts';
import { timeoutError, within } from './within.ts';

const RETRY_MS = 10;

/** Thrown when a `redis-server` does not start. The message includes its log. */
export class RedisStartError extends Error {
	override readonly name = 'RedisStartError';
	/** Whether another port may work, because this one is in use, or too high for a cluster node. */
	readonly portUnusable: boolean;

	constructor(what: string, log: string, options?: ErrorOptions) {
		super(`redis-server ${what}\n${log.trim() || '(it logged nothing)'}`, options);
		this.portUnusable = /Address already in use|Failed listening on port|port number too high/.test(log);
	}
}

export interface LaunchOptions {
	address: RespAddress;
	/** Arguments for `redis-server`. */
	args: readonly string[];
	/** Added to this process's environment. */
	env?: Record<string, string>;
	timeoutMs: number;
}

export interface RunningRedis {
	readonly process: OwnedProcess;
	readonly admin: RespConnection;
}

/** Starts one `redis-server` process and waits until it answers. */
export async function launchRedis({ address, args, env = {}, timeoutMs }: LaunchOptions): Promise<RunningRedis> {
	const executable = Bun.which('redis-server', { PATH: globalThis.process.env['PATH'] ?? '' });
	if (!executable) throw new Error('redis-server is not in PATH: run `bun run ensure-redis` to install it');

	const { port } = address;
	const process = ownProcess([executable, ...args], { env });
	const done = new AbortController();
	const exit = process.exited.then(({ code, signal }) => {
		throw new RedisStartError(`on port ${port} exited with ${signal ?? code} instead of starting`, process.output());
	});
	try {
		const answering = Promise.race([firstAnswer(address, process.pid, done.signal), exit]);
		const admin = await within(
			timeoutMs,
			answering,
			timeoutError(() => `no answer within ${timeoutMs} ms`),
		);
		return { process, admin };
	} catch (error) {
		process.kill();
		await process.exited;
		if (error instanceof RedisStartError) throw error;
		throw new RedisStartError(`on port ${port} did not answer`, process.output(), { cause: error });
	} finally {
		done.abort();
		exit.catch(() => {}); // An exit after the start is not an error here.
	}
}

async function firstAnswer(address: RespAddress, pid: number, done: AbortSignal): Promise<RespConnection> {
	for (;;) {
		const connection = await connectResp(address).catch(() => undefined);
		if (done.aborted) connection?.close();
		done.throwIfAborted();
		if (connection && (await isReady(connection, pid).catch(() => false))) return connection;
		connection?.close();
		await Bun.sleep(RETRY_MS);
	}
}

/**
 * Returns whether the server with this process id answers. This is `false` while it loads its data, and if another
 * process has the port: the server is then about to exit.
 */
async function isReady(connection: RespConnection, pid: number): Promise<boolean> {
	try {
		await connection.command(['PING']);
		const info = await connection.command(['INFO', 'server']);
		return String(info).includes(`process_id:${pid}\r\n`);
	} catch (error) {
		// A server that requires a password, or that has lost its primary, has started nevertheless.
		return error instanceof RedisReplyError && !error.message.startsWith('LOADING');
	}
}
