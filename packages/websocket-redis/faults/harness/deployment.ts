import { type ScriptProcess, spawnBun, startTcpProxy, type TcpProxy } from '@orijs/testkit';
import type { NodeReport, NodeRequest, NodeSettings } from '../node/protocol.ts';
import type { Backend } from './backend.ts';
import { connectReceiver, type LiveReceiver } from './receiver.ts';
import { type Scenario, topicsOfSubscriber, topicsOfPublisher } from './scenario.ts';

/** The nodes' heartbeat interval, in milliseconds. A gap may begin this much before the fault. */
export const HEARTBEAT_MS = 500;

const NODE_SCRIPT = new URL('../node/fault-node.ts', import.meta.url);
/**
 * How long a node may take to reply, in milliseconds: on a busy machine, a round over thousands of topics takes long.
 */
const REPLY_TIMEOUT_MS = 20_000;

export interface FaultNode {
	readonly name: string;
	readonly url: string;
	readonly process: ScriptProcess;
	ask<Reply = void>(request: NodeRequest): Promise<Reply>;
	report(): Promise<NodeReport>;
}

/** A backend, node processes that use it, and clients of the nodes. */
export class Deployment<B extends Backend = Backend> {
	readonly backend: B;
	readonly scenario: Scenario;
	readonly nodes: FaultNode[] = [];
	readonly receivers: LiveReceiver[] = [];
	readonly #proxies = new Map<string, TcpProxy>();
	readonly #processes: ScriptProcess[] = [];

	private constructor(backend: B, scenario: Scenario) {
		this.backend = backend;
		this.scenario = scenario;
	}

	/**
	 * Starts the nodes and their clients. Resolves when every client is subscribed to its topics. Publishes nothing yet.
	 */
	static async open<B extends Backend>(backend: B, scenario: Scenario): Promise<Deployment<B>> {
		const deployment = new Deployment(backend, scenario);
		try {
			await Promise.all(scenario.nodes.map((name) => deployment.#start(name)));
			return deployment;
		} catch (error) {
			await deployment.close();
			throw error;
		}
	}

	/** Returns the proxy between a node and the backend. */
	proxy(node: string): TcpProxy {
		const proxy = this.#proxies.get(node);
		if (proxy === undefined) throw new Error(`node ${node} has no proxy: list it in the scenario's \`proxied\``);
		return proxy;
	}

	/** Adds a node with its clients. The node starts to publish at once. @param port the target of its proxy */
	async addNode(name: string, port: number): Promise<void> {
		const node = await this.#start(name, port);
		await this.#load(node);
	}

	/** Starts publishing on every node. */
	async publish(): Promise<void> {
		await Promise.all(this.nodes.map((node) => this.#load(node)));
	}

	async stopPublishing(): Promise<void> {
		await Promise.all(this.nodes.map((node) => node.ask({ do: 'stop publishing' })));
	}

	async close(): Promise<void> {
		for (const receiver of this.receivers) receiver.close();
		await Promise.all(this.#processes.map((process) => process.stop(0)));
		await Promise.all([...this.#proxies.values()].map((proxy) => proxy.stop()));
		await this.backend.stop();
	}

	async #start(name: string, port: number | undefined = this.backend.port): Promise<FaultNode> {
		let { connection } = this.backend;
		if (this.scenario.proxied.includes(name)) {
			if (port === undefined) throw new Error(`node ${name} can't have a proxy: its backend has several servers`);
			// A frozen proxy reads nothing, so the sender's buffers fill up soon, as on a dead connection.
			const proxy = await startTcpProxy({ port, holdBytes: 0 });
			this.#proxies.set(name, proxy);
			connection = { host: proxy.host, port: proxy.port };
		}
		const settings: NodeSettings = { name, connection, heartbeatMs: HEARTBEAT_MS };
		const child = spawnBun(NODE_SCRIPT, { env: { FAULT_NODE: JSON.stringify(settings) } });
		this.#processes.push(child);
		const ask = <Reply>(request: NodeRequest): Promise<Reply> => child.request<Reply>(request, REPLY_TIMEOUT_MS);
		const url = await ask<string>({ do: 'url' });
		const node: FaultNode = { name, url, process: child, ask, report: () => ask({ do: 'report' }) };
		await this.#connectClients(node);
		this.nodes.push(node);
		return node;
	}

	async #connectClients({ name, url }: FaultNode): Promise<void> {
		const topics = topicsOfSubscriber(this.scenario, name);
		const clients = Array.from({ length: this.scenario.clientsPerNode }, (_, i) =>
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
		const { messages, broadcasts, directMessages } = this.scenario;
		const topics = topicsOfPublisher(this.scenario, node.name);
		const sockets = this.receivers.map(({ name, socketId }) => ({ receiver: name, socketId }));
		await node.ask({ do: 'load', load: { topics, messages, broadcasts, directMessages, sockets } });
	}
}
