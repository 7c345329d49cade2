import { type FakeClock, type ScriptProcess, spawnBun, type TcpProxy } from '@orijs/testkit';
import { reportOf } from '../node/journal.ts';
import type { NodeConnection, NodeReport, NodeRequest, NodeSettings } from '../node/protocol.ts';
import type { Backend, StartBackend } from './backend.ts';
import { type Beats, COLLECT_ABOVE } from './beats.ts';
import { type Clocks, clocksOf, REDIS } from './clocks.ts';
import type { Condition } from './condition.ts';
import { journalFiles } from './journal-files.ts';
import type { FaultNode } from './node.ts';
import { NodeLinks } from './node-links.ts';
import { connectReceiver, type LiveReceiver } from './receiver.ts';
import { type Scenario, topicsOfSubscriber, topicsOfPublisher } from './scenario.ts';

/** The nodes' heartbeat interval, in milliseconds. A gap may begin this much before the fault. */
export const HEARTBEAT_MS = 500;

const NODE_SCRIPT = new URL('../node/fault-node.ts', import.meta.url);
/**
 * How long a node may take to reply, in milliseconds: on a busy machine, a round over thousands of topics takes long.
 */
const REPLY_TIMEOUT_MS = 20_000;
/** Messages to the clients of a node that ends may be on their way for this long, in milliseconds. */
const IN_FLIGHT_MS = 1_000;

/** A backend, node processes that use it, and clients of the nodes. */
export class Deployment<B extends Backend = Backend> {
	readonly backend: B;
	readonly scenario: Scenario;
	readonly #condition: Condition | undefined;
	readonly #beats: Beats;
	readonly nodes: FaultNode[] = [];
	readonly receivers: LiveReceiver[] = [];
	readonly #links = new NodeLinks();
	readonly #processes: ScriptProcess[] = [];
	readonly #clocks: Clocks;
	readonly #journals = journalFiles();
	/** Nodes that stopped or were killed. */
	readonly #ended = new Set<FaultNode>();

	private constructor(backend: B, scenario: Scenario, clocks: Clocks, condition: Condition | undefined, beats: Beats) {
		this.backend = backend;
		this.scenario = scenario;
		this.#clocks = clocks;
		this.#condition = condition;
		this.#beats = beats;
	}

	/**
	 * Starts the backend, the nodes and their clients. Resolves when every client is subscribed to its topics. Publishes
	 * nothing yet.
	 */
	static async open<B extends Backend>(
		startBackend: StartBackend<B>,
		scenario: Scenario,
		condition: Condition | undefined,
		beats: Beats,
	): Promise<Deployment<B>> {
		const clocks = clocksOf(condition);
		const backend = await startBackend(clocks.get(REDIS)?.env ?? {});
		const deployment = new Deployment(backend, scenario, clocks, condition, beats);
		try {
			await Promise.all(scenario.nodes.map((name) => deployment.#start(name)));
			return deployment;
		} catch (error) {
			await deployment.close();
			throw error;
		}
	}

	/** Returns the nodes that neither stopped nor were killed. */
	get running(): FaultNode[] {
		return this.nodes.filter((node) => !this.#ended.has(node));
	}

	node(name: string): FaultNode {
		const node = this.nodes.find((candidate) => candidate.name === name);
		if (node === undefined) throw new Error(`there is no node ${name}`);
		return node;
	}

	/** Returns the clock of a node; undefined if it is that of this process. */
	clock(node: string): FakeClock | undefined {
		return this.#clocks.get(node);
	}

	/** Returns the proxy between a node and the backend, if that is one server. */
	proxy(node: string): TcpProxy {
		return this.#links.proxy(node);
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

	/** Stops a node in order. Resolves when its provider has stopped; its process goes on, and can report. */
	async stopNode(name: string): Promise<void> {
		const node = this.#end(name);
		await node.ask({ do: 'stop' });
	}

	/** Kills a node (`kill -9`), which has to be one of the scenario's `mortal`. Resolves when its process has ended. */
	async killNode(name: string): Promise<void> {
		const node = this.#end(name);
		node.process.kill();
		await node.process.exited;
	}

	async stopPublishing(): Promise<void> {
		await Promise.all(this.running.map((node) => node.ask({ do: 'stop publishing' })));
	}

	async close(): Promise<void> {
		for (const receiver of this.receivers) receiver.close();
		await Promise.all(this.#processes.map((process) => process.stop(0)));
		await this.#links.close();
		await this.backend.stop();
		for (const clock of this.#clocks.values()) clock.remove();
		this.#journals.remove();
	}

	#end(name: string): FaultNode {
		const node = this.node(name);
		this.#ended.add(node);
		const from = Date.now() - IN_FLIGHT_MS;
		for (const receiver of this.receivers) if (receiver.node === name) receiver.release(from);
		return node;
	}

	async #start(name: string, port: number | undefined = this.backend.port): Promise<FaultNode> {
		const connection = await this.#connectionOf(name, port);
		const clock = this.#clocks.get(name);
		const journal = this.scenario.mortal?.includes(name) ? this.#journals.pathOf(name) : undefined;
		const settings: NodeSettings = {
			name,
			connection,
			heartbeatMs: HEARTBEAT_MS,
			collectBeatsAbove: COLLECT_ABOVE[this.#beats],
			clockOffsetMs: clock?.offsetMs ?? 0,
			...(journal !== undefined && { journal }),
		};
		const child = spawnBun(NODE_SCRIPT, { env: { ...clock?.env, FAULT_NODE: JSON.stringify(settings) } });
		this.#processes.push(child);
		const ask = <Reply>(request: NodeRequest): Promise<Reply> => child.request<Reply>(request, REPLY_TIMEOUT_MS);
		const url = await ask<string>({ do: 'url' });
		const report = async (): Promise<NodeReport> => {
			return child.state() === 'ended' && journal !== undefined ? reportOf(journal) : ask({ do: 'report' });
		};
		const node: FaultNode = { name, url, process: child, ask, report };
		await this.#connectClients(node);
		this.nodes.push(node);
		return node;
	}

	async #connectionOf(name: string, port: number | undefined): Promise<NodeConnection> {
		const delay = this.#condition?.links?.[name];
		if (delay === undefined && !this.scenario.proxied.includes(name)) return this.backend.connection;
		return port === undefined ? this.#links.toEach(this.backend, delay) : this.#links.toOne(name, port, delay);
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
