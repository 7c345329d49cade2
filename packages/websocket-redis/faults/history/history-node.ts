import { type ScriptProcess, spawnBun } from '@orijs/testkit';
import type { HistoryNodeRequest, HistoryNodeSettings } from './protocol.ts';
import { some } from './seed.ts';

const SCRIPT = new URL('node.ts', import.meta.url);
const ANSWER_MS = 30_000;

/** A node process, which can be killed and started again at the same place. */
export class HistoryNode {
	readonly #redisPort: number;
	#process: ScriptProcess;
	#port = 0;

	private constructor(redisPort: number) {
		this.#redisPort = redisPort;
		this.#process = this.#spawn();
	}

	/** Resolves when it listens. @param redisPort of its Redis, or of a proxy in front of it */
	static async start(redisPort: number): Promise<HistoryNode> {
		const node = new HistoryNode(redisPort);
		node.#port = await node.ask<number>({ do: 'where' });
		return node;
	}

	get url(): string {
		return `ws://127.0.0.1:${this.#port}/ws`;
	}

	ask<Reply>(request: HistoryNodeRequest): Promise<Reply> {
		return this.#process.request<Reply>(request, ANSWER_MS);
	}

	/** Closes the connections of so many of its clients, at random. */
	async kick(count: number): Promise<void> {
		const clients = await this.ask<number>({ do: 'clients' });
		const places = some([...Array(clients).keys()], count);
		await this.ask({ do: 'kick', places });
	}

	/** SIGKILL; resolves when it is gone. */
	async kill(): Promise<void> {
		this.#process.kill();
		await this.#process.exited;
	}

	/** Resolves when it listens where it did. */
	async restart(): Promise<void> {
		this.#process = this.#spawn();
		await this.ask<number>({ do: 'where' });
	}

	async stop(): Promise<void> {
		await this.#process.stop(0);
	}

	#spawn(): ScriptProcess {
		const settings: HistoryNodeSettings = { redisPort: this.#redisPort, port: this.#port };
		return spawnBun(SCRIPT, { env: { HISTORY_NODE: JSON.stringify(settings) } });
	}
}
