import { fileURLToPath } from 'node:url';
import { prefixLines } from './prefix-lines.ts';

export interface NodeProcessOptions {
	/** The port to listen on. If it is taken, another one is used. */
	readonly port: number;
	readonly redisUrl: string;
	readonly moderatorKey: string;
}

/** A chat server in its own process. */
export interface NodeProcess {
	/** Resolves with the port. Rejects if the process exits before it listens. */
	readonly listening: Promise<number>;
	readonly exited: Promise<number>;
	/** Stops the process with SIGTERM, or with SIGKILL if that takes too long. Can be called more than once. */
	stop(): Promise<number>;
}

/** How long a node may take to stop before it is killed, in milliseconds. */
const GRACE_MS = 8_000;

/**
 * Starts main.ts. The child reports its port over an IPC channel. When the channel closes, the child stops, because the
 * parent is gone.
 */
export function startNodeProcess({ port, redisUrl, moderatorKey }: NodeProcessOptions): NodeProcess {
	const listening = Promise.withResolvers<number>();
	let name = `node ${port}`;
	const child = Bun.spawn(
		[process.execPath, '--conditions=@orijs/source', fileURLToPath(new URL('main.ts', import.meta.url))],
		{
			env: {
				...process.env,
				NODE_ENV: 'production',
				PORT: String(port),
				REDIS_URL: redisUrl,
				MODERATOR_KEY: moderatorKey,
			},
			stdio: ['ignore', 'pipe', 'pipe'],
			// Ctrl-C must reach only the parent, which stops the nodes before their Redis.
			detached: true,
			ipc(message: { port: number }) {
				name = `node ${message.port}`;
				listening.resolve(message.port);
			},
		},
	);
	const printed = Promise.all([
		prefixLines(child.stdout, () => name, console.log),
		prefixLines(child.stderr, () => name, console.error),
	]);
	const exited = child.exited.then(async (code) => {
		await printed;
		listening.reject(new Error(`${name} exited with ${child.signalCode ?? code}`));
		return code;
	});
	listening.promise.catch(() => {});

	return {
		listening: listening.promise,
		exited,
		async stop() {
			child.kill('SIGTERM');
			const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
			try {
				return await exited;
			} finally {
				clearTimeout(timer);
			}
		},
	};
}
