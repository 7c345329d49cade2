import { type ScriptProcess, spawnBun } from '@orijs/testkit';
import type { HostRequest, NodeEvent } from '../nodes/requests.ts';

const REQUEST_TIMEOUT_MS = 300_000;

/** A process that runs nodes of this system, without clients. */
export class NodeHost {
	readonly #process: ScriptProcess;
	/** The ids of its nodes. */
	readonly ids: readonly string[];

	private constructor(process: ScriptProcess, ids: readonly string[]) {
		this.#process = process;
		this.ids = ids;
	}

	static async start(redisPort: number, count: number): Promise<NodeHost> {
		const process = spawnBun(new URL('../nodes/host.ts', import.meta.url), { env: { NODE_ENV: 'production' } });
		const request: HostRequest = { do: 'start', redisPort, count };
		return new NodeHost(process, await process.request<readonly string[]>(request, REQUEST_TIMEOUT_MS));
	}

	get pid(): number {
		return this.#process.pid;
	}

	/** Returns what its nodes have reported since then, by the machine's monotonic clock. */
	events(since: number): readonly NodeEvent[] {
		return (this.#process.reports as readonly NodeEvent[]).filter(({ at }) => at >= since);
	}

	/** Resolves once each of its nodes knows this many nodes, itself included. */
	async waitUntilKnown(nodes: number): Promise<void> {
		await this.#process.request({ do: 'wait-until-known', nodes } satisfies HostRequest, REQUEST_TIMEOUT_MS);
	}

	freeze(): void {
		this.#process.freeze();
	}

	thaw(): void {
		this.#process.thaw();
	}

	async stop(): Promise<void> {
		this.#process.kill('SIGKILL');
		await this.#process.exited;
	}
}
