import { freePort, type ScriptProcess, spawnBun } from '@orijs/testkit';
import type { Backend } from '../harness/backend.ts';
import { readJournal } from './journal.ts';
import { Links } from './links.ts';
import type { ProcessRecord } from './lives.ts';
import type { NodeRequest, NodeSettings, Started } from './protocol.ts';

const SCRIPT = new URL('node-script.ts', import.meta.url);
const REPLY_MS = 20_000;
/** How soon a process that could not start is started again, in milliseconds. */
const RESTART_MS = 200;
/** How long an orderly stop may take, in milliseconds. */
const STOP_MS = 10_000;

export interface NodeOptions {
	readonly name: string;
	readonly backend: Backend;
	readonly collectBeatsAbove: number;
	/** The directory of the journals. */
	readonly dir: string;
}

interface Run {
	readonly process: string;
	readonly journal: string;
	readonly child: ScriptProcess;
	readonly frozen: { readonly from: number; until: number }[];
	endedAt: number;
}

/** A node with links to the backend of its own. Its process can be killed and started again on the same port. */
export class NodeProcess {
	readonly name: string;
	readonly links: Links;
	readonly port: number;
	/** Of the present process; undefined while no process runs. */
	nodeId: string | undefined;
	readonly #options: NodeOptions;
	readonly #runs: Run[] = [];

	static async start(options: NodeOptions): Promise<NodeProcess> {
		const [links, port] = await Promise.all([Links.open(options.backend), freePort()]);
		const node = new NodeProcess(options, links, port);
		await node.start();
		return node;
	}

	private constructor(options: NodeOptions, links: Links, port: number) {
		this.name = options.name;
		this.#options = options;
		this.links = links;
		this.port = port;
	}

	/** The URL for one of the clients. */
	urlOf(client: number, user: string): string {
		return `ws://127.0.0.1:${this.port}/ws?client=${client}&user=${user}`;
	}

	/** Starts a process, again while it can't, as while the backend is away. Resolves when it listens. */
	async start(): Promise<void> {
		for (;;) {
			const { child } = this.#spawn();
			try {
				const { nodeId } = await child.request<Started>({ do: 'start' } satisfies NodeRequest, REPLY_MS);
				this.nodeId = nodeId;
				return;
			} catch {
				child.kill();
				await child.exited;
				await Bun.sleep(RESTART_MS);
			}
		}
	}

	ask<Reply = void>(request: NodeRequest, timeoutMs: number = REPLY_MS): Promise<Reply> {
		return this.#run.child.request<Reply>(request, timeoutMs);
	}

	/** SIGKILL. Resolves when the process is gone. */
	async kill(): Promise<void> {
		this.nodeId = undefined;
		this.#run.child.kill();
		await this.#run.child.exited;
	}

	/** Stops the node in order. @throws if that takes too long */
	async stop(): Promise<void> {
		const { child, process } = this.#run;
		this.nodeId = undefined;
		child.kill('SIGTERM');
		const isLate = Symbol('late');
		const ended = await Promise.race([child.exited, Bun.sleep(STOP_MS).then(() => isLate)]);
		if (ended !== isLate) return;
		child.kill();
		throw new Error(`${process} did not stop within ${STOP_MS} ms\n${child.output()}`);
	}

	freeze(): void {
		this.#run.frozen.push({ from: Date.now(), until: Infinity });
		this.#run.child.freeze();
	}

	thaw(): void {
		this.#run.child.thaw();
		const frozen = this.#run.frozen.at(-1);
		if (frozen !== undefined) frozen.until = Date.now();
	}

	/** What all processes so far have written. */
	records(): ProcessRecord[] {
		return this.#runs.map(({ process, journal, endedAt, frozen }) => {
			const away = [...frozen, ...this.links.broken];
			return { process, entries: readJournal(journal), endedAt, frozen, away };
		});
	}

	async close(): Promise<void> {
		await this.#run.child.stop(0);
		await this.links.close();
	}

	get #run(): Run {
		return this.#runs.at(-1) as Run;
	}

	#spawn(): Run {
		const process = `${this.name}${this.#runs.length + 1}`;
		const { dir, collectBeatsAbove } = this.#options;
		const journal = `${dir}/${process}.jsonl`;
		const { connection } = this.links;
		const settings: NodeSettings = { connection, port: this.port, collectBeatsAbove, journal };
		const child = spawnBun(SCRIPT, { env: { CLUSTER_NODE: JSON.stringify(settings) } });
		const run: Run = { process, journal, child, frozen: [], endedAt: Infinity };
		void child.exited.then(() => (run.endedAt = Date.now()));
		this.#runs.push(run);
		return run;
	}
}
