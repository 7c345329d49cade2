import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectClient, type ScriptProcess, spawnBun, type TestClient, until } from '@orijs/testkit';
import { substitute } from './samples.ts';

/** Runs samples as a user would: pasted into files, each in its own process. */
export class SampleRuns {
	readonly #folder: string;
	readonly #processes: ScriptProcess[] = [];
	readonly #clients: TestClient[] = [];
	#folders = 0;

	constructor() {
		// Inside the package, so that imports resolve as they do in a user's project.
		const scratch = fileURLToPath(new URL('../../node_modules/.samples', import.meta.url));
		mkdirSync(scratch, { recursive: true });
		this.#folder = mkdtempSync(join(scratch, 'run-'));
	}

	/** Writes files to a new folder and returns its path. The files' names may contain subfolders. */
	write(files: Record<string, string>): string {
		const dir = join(this.#folder, String((this.#folders += 1)));
		for (const [name, code] of Object.entries(files)) {
			mkdirSync(join(dir, name, '..'), { recursive: true });
			writeFileSync(join(dir, name), code);
		}
		return dir;
	}

	/** Starts a script. */
	start(file: string, env: Record<string, string> = {}): ScriptProcess {
		const child = spawnBun(file, { env });
		this.#processes.push(child);
		return child;
	}

	/** Starts a script created with {@link reporting}. Resolves when its last line has run; rejects if it fails. */
	async complete(file: string, env?: Record<string, string>): Promise<ScriptProcess> {
		const child = this.start(file, env);
		let hasEnded = false;
		void child.exited.then(() => (hasEnded = true));
		const what = (): string => `${file} has run to its last line; it printed ${child.output()}`;
		await until(() => hasEnded || child.reports.length > 0, { what, timeoutMs: 10_000 });
		if (child.reports.length === 0) throw new Error(`${file} failed: ${child.output()}`);
		return child;
	}

	/** Connects a WebSocket client, which is plain unless it offers `orijs.1`. */
	async connect(port: number, protocols: string[] | string = []): Promise<TestClient> {
		const client = await connectClient(`ws://127.0.0.1:${port}/ws`, { protocols });
		this.#clients.push(client);
		return client;
	}

	/** Ends all clients and processes. */
	async end(): Promise<void> {
		await Promise.all(this.#clients.splice(0).map((client) => client.close()));
		await Promise.all(
			this.#processes.splice(0).map((child) => {
				// SIGINT comes first, because applications then stop without the delay that follows SIGTERM.
				child.kill('SIGINT');
				return child.stop();
			}),
		);
	}

	/** Removes all files. */
	remove(): void {
		rmSync(this.#folder, { recursive: true });
	}
}

/** Returns the code of a server, changed to listen on `port` of the loopback interface instead of 3000. */
export function onPort(server: string, port: number): string {
	return reporting(substitute(server, 'app.listen(3000)', `app.listen({ port: ${port}, hostname: '127.0.0.1' })`));
}

/** Returns a script's code, extended to report when its last line has run. */
export function reporting(code: string): string {
	return `${code}\nimport { report } from '@orijs/testkit';\nawait report('complete');\n`;
}
