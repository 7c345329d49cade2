import { freePort, type ScriptProcess, spawnBun } from '@orijs/testkit';
import { Links } from '../cluster/links.ts';
import type { Backend } from '../harness/backend.ts';
import type { NodeLogs, NodeRequest, NodeSettings } from './protocol.ts';

const SCRIPT = new URL('node-script.ts', import.meta.url);
const REPLY_MS = 20_000;
/** How soon a process that could not start is started again, in milliseconds. */
const RESTART_MS = 200;
/** How long it is tried, in milliseconds: longer than the backend is ever away. */
const START_MS = 20_000;
/** How long an orderly stop may take, in milliseconds. */
const STOP_MS = 10_000;

export interface PresenceNodeOptions extends Omit<NodeSettings, 'connection' | 'port'> {
	readonly name: string;
	readonly backend: Backend;
}

/** A node with links to the backend of its own. Its process can be killed and started again on the same port. */
export class PresenceNode {
	readonly name: string;
	readonly links: Links;
	readonly port: number;
	/** Whether a process listens that was not told to end. It may be frozen. */
	isUp = false;
	/** What ended processes have logged. */
	readonly logs: NodeLogs[] = [];
	readonly #options: PresenceNodeOptions;
	#child: ScriptProcess | undefined;

	static async start(options: PresenceNodeOptions): Promise<PresenceNode> {
		const [links, port] = await Promise.all([Links.open(options.backend), freePort()]);
		const node = new PresenceNode(options, links, port);
		await node.start();
		return node;
	}

	private constructor(options: PresenceNodeOptions, links: Links, port: number) {
		this.name = options.name;
		this.#options = options;
		this.links = links;
		this.port = port;
	}

	get process(): ScriptProcess {
		if (this.#child === undefined) throw new Error(`node ${this.name} has no process`);
		return this.#child;
	}

	/**
	 * Starts a process, again while it can't, as while the backend is away. Resolves when it listens.
	 *
	 * @throws it could not start in time
	 */
	async start(): Promise<void> {
		const { collectBeatsAbove, listensTo } = this.#options;
		const settings: NodeSettings = { connection: this.links.connection, port: this.port, collectBeatsAbove, listensTo };
		const latest = performance.now() + START_MS;
		for (;;) {
			const child = spawnBun(SCRIPT, { env: { PRESENCE_NODE: JSON.stringify(settings) } });
			this.#child = child;
			try {
				await child.request({ do: 'start' } satisfies NodeRequest, REPLY_MS);
				this.isUp = true;
				return;
			} catch (error) {
				child.kill();
				await child.exited;
				if (performance.now() > latest) throw error;
				await Bun.sleep(RESTART_MS);
			}
		}
	}

	ask<Reply = void>(request: NodeRequest): Promise<Reply> {
		return this.process.request<Reply>(request, REPLY_MS);
	}

	/** SIGKILL. Resolves when the process is gone. */
	async kill(): Promise<void> {
		this.isUp = false;
		this.process.kill();
		await this.process.exited;
	}

	/** Stops the node in order. @throws if that takes too long */
	async stop(): Promise<void> {
		this.isUp = false;
		this.logs.push(await this.ask<NodeLogs>({ do: 'logs' }));
		this.process.kill('SIGTERM');
		const isLate = Symbol('late');
		if ((await Promise.race([this.process.exited, Bun.sleep(STOP_MS).then(() => isLate)])) !== isLate) return;
		this.process.kill();
		throw new Error(`node ${this.name} did not stop within ${STOP_MS} ms\n${this.process.output()}`);
	}

	async close(): Promise<void> {
		await this.#child?.stop(0);
		await this.links.close();
	}
}
