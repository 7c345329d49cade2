import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fakeClock, freePort, spawnBun, startRedis, startTcpProxy } from '@orijs/testkit';
import type { FakeClock, RedisServer, ScriptProcess, TcpProxy } from '@orijs/testkit';
import type { ClientSocket, ClientsRequest, ClientsSettings } from '../clients/protocol.ts';
import type { Random } from '../random.ts';
import type { ClockOwner } from '../schedule/fault.ts';
import { NODES, type NodeName } from '../settings.ts';
import { SupervisedNode } from './supervised-node.ts';

const CLIENTS_SCRIPT = new URL('../clients/main.ts', import.meta.url);
/** Redis writes what it accepts to disk first, so that it has it after it was killed. */
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];
/** How often the nodes learn which connections there are, in milliseconds. */
const SOCKETS_MS = 500;
/** How long the clients may take to answer, in milliseconds: they wait for what is under way. */
const CLIENTS_MS = 45_000;

/** Redis, nodes and clients, with a network in between that can be broken. */
export class Deployment {
	/** Where the processes write their journals. */
	readonly dir: string;
	readonly redis: RedisServer;
	/** The server that a link can be led to. */
	readonly otherRedis: RedisServer;
	readonly nodes: Readonly<Record<NodeName, SupervisedNode>>;
	/** Between a node and Redis. */
	readonly links: Readonly<Record<NodeName, TcpProxy>>;
	/** Between a group of clients and its node: what a load balancer is elsewhere. */
	readonly balancers: Readonly<Record<NodeName, TcpProxy>>;
	readonly clocks: Readonly<Record<ClockOwner, FakeClock>>;
	readonly #clients: ScriptProcess;
	readonly #timer: ReturnType<typeof setInterval>;

	private constructor(
		parts: Pick<Deployment, 'dir' | 'redis' | 'otherRedis' | 'nodes' | 'links' | 'balancers' | 'clocks'>,
		clients: ScriptProcess,
	) {
		this.dir = parts.dir;
		this.redis = parts.redis;
		this.otherRedis = parts.otherRedis;
		this.nodes = parts.nodes;
		this.links = parts.links;
		this.balancers = parts.balancers;
		this.clocks = parts.clocks;
		this.#clients = clients;
		let isAsking = false;
		this.#timer = setInterval(() => {
			if (isAsking) return;
			isAsking = true;
			void this.#tellSockets().finally(() => (isAsking = false));
		}, SOCKETS_MS);
	}

	/**
	 * Resolves when all nodes publish and all lasting clients are subscribed.
	 *
	 * @param collectBeatsAbove the nodes' option
	 */
	static async start(random: Random, collectBeatsAbove: number): Promise<Deployment> {
		const dir = mkdtempSync(join(tmpdir(), 'orijs-model-'));
		const clocks = { a: fakeClock(), b: fakeClock(), c: fakeClock(), redis: fakeClock(), clients: fakeClock() };
		const [redis, otherRedis] = await Promise.all([
			startRedis({ port: await freePort(), args: DURABLE, env: clocks.redis.env }),
			startRedis({ args: DURABLE }),
		]);
		const links = await forEachNode(() => startTcpProxy({ port: redis.port }));
		const ports = await forEachNode(() => freePort());
		const balancers = await forEachNode((name) => startTcpProxy({ port: ports[name] }));
		const nodes = await forEachNode(
			(name) =>
				new SupervisedNode({
					name,
					port: ports[name],
					redisPort: links[name].port,
					clock: clocks[name],
					seed: random.between(0, 2 ** 31),
					collectBeatsAbove,
					journalOf: (process) => join(dir, `${process}.jsonl`),
				}),
		);
		await Promise.all(NODES.map((name) => nodes[name].start()));
		const settings: ClientsSettings = {
			urls: NODES.map((name) => `ws://127.0.0.1:${balancers[name].port}/ws`),
			journal: join(dir, 'clients.jsonl'),
			seed: random.between(0, 2 ** 31),
		};
		const clients = spawnBun(CLIENTS_SCRIPT, {
			env: { ...clocks.clients.env, MODEL_CLIENTS: JSON.stringify(settings) },
		});
		const deployment = new Deployment({ dir, redis, otherRedis, nodes, links, balancers, clocks }, clients);
		await deployment.askClients({ do: 'start' });
		return deployment;
	}

	askClients<Reply>(request: ClientsRequest): Promise<Reply> {
		return this.#clients.request<Reply>(request, CLIENTS_MS);
	}

	/** The journals of a node's processes, in the order in which these were started. */
	journalsOf(node: NodeName): { readonly process: string; readonly path: string }[] {
		return this.nodes[node].processes.map((process) => ({ process, path: join(this.dir, `${process}.jsonl`) }));
	}

	get clientsJournal(): string {
		return join(this.dir, 'clients.jsonl');
	}

	/** Ends everything that is left. */
	async stop(): Promise<void> {
		clearInterval(this.#timer);
		await this.#clients.stop(0);
		await Promise.all(NODES.map((name) => this.nodes[name].kill()));
		await Promise.all([...Object.values(this.links), ...Object.values(this.balancers)].map((proxy) => proxy.stop()));
		await Promise.all([this.redis.stop(), this.otherRedis.stop()]);
		for (const clock of Object.values(this.clocks)) clock.remove();
	}

	async #tellSockets(): Promise<void> {
		const sockets = await this.askClients<ClientSocket[]>({ do: 'sockets' }).catch(() => undefined);
		if (sockets === undefined) return;
		for (const name of NODES) if (this.nodes[name].isUp) this.nodes[name].tell({ do: 'sockets', sockets });
	}
}

async function forEachNode<Value>(of: (name: NodeName) => Value | Promise<Value>): Promise<Record<NodeName, Value>> {
	const values = await Promise.all(NODES.map(async (name) => [name, await of(name)] as const));
	return Object.fromEntries(values) as Record<NodeName, Value>;
}
