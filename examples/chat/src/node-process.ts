import { fileURLToPath } from 'node:url';
import { prefixLines } from './prefix-lines.ts';

export interface NodeProcessOptions {
	/** Where it is to listen; if that is taken it finds another one. */
	readonly port: number;
	readonly redisUrl: string;
}

/** A chat server in a process of its own. */
export interface NodeProcess {
	/** The port it listens on. Rejects when it ends before it does. */
	readonly listening: Promise<number>;
	readonly exited: Promise<number>;
	/** SIGTERM, and SIGKILL when that does not end it soon. Twice is fine. */
	stop(): Promise<number>;
}

/** How long a node may take to stop, in milliseconds: longer than nodes with little to do need. */
const GRACE_MS = 8_000;

/**
 * Starts main.ts. The channel between the two processes tells us its port, and tells it when we are gone, however that came.
 */
export function startNodeProcess({ port, redisUrl }: NodeProcessOptions): NodeProcess {
	const listening = Promise.withResolvers<number>();
	let name = `node ${port}`;
	const child = Bun.spawn(
		[process.execPath, '--conditions=@orijs/source', fileURLToPath(new URL('main.ts', import.meta.url))],
		{
			env: { ...process.env, NODE_ENV: 'production', PORT: String(port), REDIS_URL: redisUrl },
			stdio: ['ignore', 'pipe', 'pipe'],
			// A Ctrl-C in the terminal is for us, who then stop the nodes before their Redis.
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
		listening.reject(new Error(`${name} ended with ${child.signalCode ?? code}`));
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
