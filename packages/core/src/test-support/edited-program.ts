import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
	connectClient,
	editFile,
	scratchDir,
	type ScriptProcess,
	spawnBun,
	type TestClient,
	until,
} from '@orijs/testkit';
import { onTestFinished } from 'vitest';

/** A program that runs while a test edits it. */
export interface EditedProgram {
	readonly process: ScriptProcess;
	/** Replaces the program's code. */
	edit(code: string): void;
	/** Resolves once the process has written this text to its output. */
	wrote(text: string): Promise<void>;
}

const CORE = fileURLToPath(new URL('../index.ts', import.meta.url));

/** Starts a program under `bun --hot` or `bun --watch`. The process is killed when the test ends. */
export function startEdited(mode: '--hot' | '--watch', code: string): EditedProgram {
	const dir = scratchDir('orijs-edited-');
	const file = join(dir.path, 'main.ts');
	const edit = (text: string): void => editFile(file, text);
	edit(code);
	const child = spawnBun(file, { env: { BUN_OPTIONS: mode } });
	onTestFinished(async () => {
		child.kill();
		await child.exited;
		dir.remove();
	});
	return {
		process: child,
		edit,
		wrote: (text) =>
			until(() => child.output().includes(text), { what: () => `"${text}" is written; so far: ${child.output()}` }),
	};
}

/** One application of an edited program. */
export interface AppCode {
	/** The port, or other arguments of `listen`, as code. */
	readonly at: number | string;
	/** What the application answers to HTTP requests, and sends to each new socket. */
	readonly version: string;
	/** The `message` handler, as code. Default: answers with the version and the message. */
	readonly onMessage?: string;
	/** Calls that configure the application, as code. */
	readonly calls?: string;
	/** Code before and after the call of `listen`. */
	readonly before?: string;
	readonly after?: string;
	/**
	 * Whether the module waits for `listen`; Bun then evaluates an edit only once `listen` has completed. Default true.
	 */
	readonly isAwaited?: boolean;
}

/** Returns the code of a program with these applications. It writes a line when one listens, and when one stops. */
export function programOf(...applications: readonly AppCode[]): string {
	return [`import { Application } from ${JSON.stringify(CORE)};`, ...applications.map(codeOf)].join('\n');
}

/** Returns the code of a program with an endpoint in a server of its own. It writes a line when the endpoint starts. */
export function endpointProgram(port: number, version: string): string {
	return `
		import { SocketEndpoint } from ${JSON.stringify(CORE)};
		const endpoint = new SocketEndpoint().onWebSocket({
			open: (ws) => void ws.send('${version}'),
			message: (ws, text) => void ws.send('${version}: ' + text),
			close: () => console.log('${version} has closed one'),
		});
		const server = Bun.serve({
			port: ${port},
			fetch: (req, server) => endpoint.handle(req, server) ?? new Response('${version}'),
			websocket: endpoint.websocket,
		});
		await endpoint.start(server);
		console.log('${version} has started');
	`;
}

function codeOf({ at, version, calls = '', before = '', after = '', isAwaited = true, ...code }: AppCode): string {
	const { onMessage = `(ws, text) => void ws.send('${version}: ' + text)` } = code;
	return `
		${isAwaited ? 'await' : 'void'} (async () => {
			${before}
			const app = new Application({ readinessDelayMs: 0 })
				.routes({
					'/': () => new Response('${version}'),
					'/listeners': () => Response.json(['SIGTERM', 'SIGINT', 'exit'].map((name) => process.listenerCount(name))),
				})
				.websocket()
				.onWebSocket({ open: (ws) => void ws.send('${version}'), message: ${onMessage} })
				.onShutdown(() => console.log('${version} has shut down'))
				${calls};
			const server = await app.listen(${at});
			console.log('${version} listens on ' + server.port + ';');
			${after}
		})();
	`;
}

/** Resolves once HTTP requests to the port are answered with this text. */
export function answers(port: number, text: string): Promise<void> {
	let last: string | undefined;
	return until(
		async () => {
			// Each request has its own connection: a kept-alive one may end at any time while the server is replaced.
			const response = await fetch(`http://localhost:${port}`, { keepalive: false }).catch(() => undefined);
			last = await response?.text().catch(() => undefined);
			return last === text;
		},
		{ what: () => `port ${port} answers ${text}; last answer: ${last}` },
	);
}

/** Connects to an application of an edited program. */
export function connectTo(port: number): Promise<TestClient> {
	return connectClient(`ws://localhost:${port}/ws`);
}
