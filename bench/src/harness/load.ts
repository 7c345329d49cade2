import { type ScriptProcess, spawnBun } from '@orijs/testkit';
import type { LoadRequest } from '../load/requests.ts';

const REQUEST_TIMEOUT_MS = 120_000;

/** The process that runs the clients. */
export class Load {
	readonly #process: ScriptProcess = spawnBun(new URL('../load/load.ts', import.meta.url));

	get pid(): number {
		return this.#process.pid;
	}

	ask<Reply>(request: LoadRequest): Promise<Reply> {
		return this.#process.request<Reply>(request, REQUEST_TIMEOUT_MS);
	}

	async stop(): Promise<void> {
		this.#process.kill();
		await this.#process.exited;
	}
}
