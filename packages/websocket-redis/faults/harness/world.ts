import { type ScriptProcess, spawnBun, startTcpProxy, type TcpProxy } from '@orijs/testkit';
import type { Account, NodeRequest, NodeSettings } from '../node/protocol.ts';
import type { Backend } from './backend.ts';
import { connectReceiver, type LiveReceiver } from './receiver.ts';
import { type Stage, topicsOfMember, topicsOfPublisher } from './stage.ts';

/** Also how far a gap may begin before the fault, with some slack for a busy machine. */
export const HEARTBEAT_MS = 500;

const NODE_SCRIPT = new URL('../node/fault-node.ts', import.meta.url);
/** A round over thousands of topics on a busy machine takes its time. */
const ANSWER_TIMEOUT_MS = 20_000;

export interface FaultNode {
	readonly name: string;
	readonly url: string;
	readonly process: ScriptProcess;
	ask<Reply = void>(request: NodeRequest): Promise<Reply>;
	account(): Promise<Account>;
}

/** A backend, nodes on it, clients of the nodes: all real. */
export class World<B extends Backend = Backend> {
	readonly backend: B;
	readonly stage: Stage;
	readonly nodes: FaultNode[] = [];
	readonly receivers: LiveReceiver[] = [];
	readonly #proxies = new Map<string, TcpProxy>();
	readonly #processes: ScriptProcess[] = [];

	private constructor(backend: B, stage: Stage) {
		this.backend = backend;
		this.stage = stage;
	}

	/** Resolves when every client is in its topics. Nothing is published yet. */
	static async open<B extends Backend>(backend: B, stage: Stage): Promise<World<B>> {
		const world = new World(backend, stage);
		try {
			await Promise.all(stage.nodes.map((name) => world.#start(name)));
			return world;
		} catch (error) {
			await world.close();
			throw error;
		}
	}

	/** This node's way to the backend. */
	proxy(node: string): TcpProxy {
		const proxy = this.#proxies.get(node);
		if (proxy === undefined) throw new Error(`node ${node} has no proxy: name it in the stage's \`proxied\``);
		return proxy;
	}

	/** A node that comes later, with its clients and its share of the load. `port`: where its proxy leads to. */
	async addNode(name: string, port: number): Promise<void> {
		const node = await this.#start(name, port);
		await this.#load(node);
	}

	/** Every node publishes from now on. */
	async publish(): Promise<void> {
		await Promise.all(this.nodes.map((node) => this.#load(node)));
	}

	async halt(): Promise<void> {
		await Promise.all(this.nodes.map((node) => node.ask({ do: 'halt' })));
	}

	async close(): Promise<void> {
		for (const receiver of this.receivers) receiver.close();
		await Promise.all(this.#processes.map((process) => process.stop(0)));
		await Promise.all([...this.#proxies.values()].map((proxy) => proxy.stop()));
		await this.backend.stop();
	}

	async #start(name: string, port: number | undefined = this.backend.port): Promise<FaultNode> {
		let { connection } = this.backend;
		if (this.stage.proxied.includes(name)) {
			if (port === undefined) throw new Error(`node ${name} can't have a proxy: its backend is more than one server`);
			// A frozen link reads nothing: the sender feels it soon, as on a dead line.
			const proxy = await startTcpProxy({ port, holdBytes: 0 });
			this.#proxies.set(name, proxy);
			connection = { host: proxy.host, port: proxy.port };
		}
		const settings: NodeSettings = { name, connection, heartbeatMs: HEARTBEAT_MS };
		const child = spawnBun(NODE_SCRIPT, { env: { FAULT_NODE: JSON.stringify(settings) } });
		this.#processes.push(child);
		const ask = <Reply>(request: NodeRequest): Promise<Reply> => child.request<Reply>(request, ANSWER_TIMEOUT_MS);
		const url = await ask<string>({ do: 'where' });
		const node: FaultNode = { name, url, process: child, ask, account: () => ask({ do: 'account' }) };
		await this.#connectClients(node);
		this.nodes.push(node);
		return node;
	}

	async #connectClients({ name, url }: FaultNode): Promise<void> {
		const topics = topicsOfMember(this.stage, name);
		const clients = Array.from({ length: this.stage.clientsPerNode }, (_, i) =>
			connectReceiver(
				url,
				name,
				`${name}${i + 1}`,
				topics.filter((_, at) => at % (i + 1) === 0),
			),
		);
		this.receivers.push(...(await Promise.all(clients)));
	}

	async #load(node: FaultNode): Promise<void> {
		const { messages, broadcasts, directMessages } = this.stage;
		const topics = topicsOfPublisher(this.stage, node.name);
		const sockets = this.receivers.map(({ name, socketId }) => ({ receiver: name, socketId }));
		await node.ask({ do: 'load', load: { topics, messages, broadcasts, directMessages, sockets } });
	}
}
