import { type ScriptProcess, spawnBun } from '@orijs/testkit';
import { COLLECT_BEATS_ABOVE } from './collect-beats.ts';
import type { NodeRequest, NodeSettings } from './protocol.ts';
import { sample } from './random.ts';

const SCRIPT = new URL('node-script.ts', import.meta.url);
const REPLY_MS = 30_000;

/** A node process, which can be killed and restarted on the same port. */
export class NodeProcess {
	readonly #redisPort: number;
	readonly #env: Readonly<Record<string, string>>;
	#process: ScriptProcess;
	#port = 0;

	private constructor(redisPort: number, env: Readonly<Record<string, string>>) {
		this.#redisPort = redisPort;
		this.#env = env;
		this.#process = this.#spawn();
	}

	/**
	 * Starts a node. Resolves when it is listening.
	 *
	 * @param redisPort the port of Redis, or of a proxy in front of it
	 * @param env added to this process's environment
	 */
	static async start(redisPort: number, env: Readonly<Record<string, string>> = {}): Promise<NodeProcess> {
		const node = new NodeProcess(redisPort, env);
		node.#port = await node.ask<number>({ do: 'port' });
		return node;
	}

	get url(): string {
		return `ws://127.0.0.1:${this.#port}/ws`;
	}

	/** The current one: `restart` starts another. */
	get process(): ScriptProcess {
		return this.#process;
	}

	ask<Reply = void>(request: NodeRequest): Promise<Reply> {
		return this.#process.request<Reply>(request, REPLY_MS);
	}

	/** Closes the connections of `count` clients of the node, chosen at random. */
	async kick(count: number): Promise<void> {
		const clients = await this.ask<number>({ do: 'clients' });
		const indexes = sample([...Array(clients).keys()], count);
		await this.ask({ do: 'kick', indexes });
	}

	/** Kills the process with SIGKILL. Resolves when it has exited. */
	async kill(): Promise<void> {
		this.#process.kill();
		await this.#process.exited;
	}

	/** Starts the process again. Resolves when it is listening on its former port. */
	async restart(): Promise<void> {
		this.#process = this.#spawn();
		await this.ask<number>({ do: 'port' });
	}

	async stop(): Promise<void> {
		await this.#process.stop(0);
	}

	#spawn(): ScriptProcess {
		const settings: NodeSettings = {
			redisPort: this.#redisPort,
			port: this.#port,
			collectBeatsAbove: COLLECT_BEATS_ABOVE,
		};
		return spawnBun(SCRIPT, { env: { ...this.#env, HISTORY_NODE: JSON.stringify(settings) } });
	}
}
