import { type RedisServer, startRedis } from '@orijs/testkit';
import type { Bench } from './bench.ts';
import { cpuMeter } from './cpu.ts';
import { ClientGroup } from './client-group.ts';
import { Load } from './load.ts';
import { Node } from './node.ts';
import type { SubjectKind } from './subject-kind.ts';

export interface Topology {
	/** The topics that each client subscribes to, one entry per client. */
	readonly clients: readonly (readonly string[])[];
	/** With 2, one node publishes over Redis to the clients of the other node. */
	readonly nodes: 1 | 2;
	/** Whether to record when a message from the other node is handed to the runtime's `publish`. */
	readonly timesHandOff?: boolean;
}

/** A running subject with its subscribed clients, its own Redis and its own load process. */
export class Testbed {
	readonly bench: Bench;
	readonly kind: SubjectKind;
	readonly group: ClientGroup;
	readonly redis: RedisServer | undefined;
	readonly #nodes: readonly Node[];
	readonly #load: Load;

	private constructor(
		bench: Bench,
		kind: SubjectKind,
		nodes: readonly Node[],
		load: Load,
		group: ClientGroup,
		redis: RedisServer | undefined,
	) {
		this.bench = bench;
		this.kind = kind;
		this.#nodes = nodes;
		this.#load = load;
		this.group = group;
		this.redis = redis;
	}

	static async open(
		bench: Bench,
		kind: SubjectKind,
		{ clients, nodes: count, timesHandOff }: Topology,
	): Promise<Testbed> {
		const redis = count > 1 || kind.overRedis ? await startRedis() : undefined;
		const settings = { ...(redis && { redisPort: redis.port }), ...(timesHandOff && { timesHandOff }) };
		const nodes: Node[] = [];
		while (nodes.length < count) nodes.push(await Node.start(kind, settings));
		const load = new Load();
		const group = await ClientGroup.connect(load, nodes.at(-1) as Node, { clients });
		await group.drain();
		return new Testbed(bench, kind, nodes, load, group, redis);
	}

	/** Connects more clients, to the node that has the first clients. */
	connect(clients: Topology['clients'], options: { concurrency?: number; query?: string } = {}): Promise<ClientGroup> {
		return ClientGroup.connect(this.#load, this.receiver, { clients, ...options });
	}

	get publisher(): Node {
		return this.#nodes[0] as Node;
	}

	/** The node to which the clients are connected. */
	get receiver(): Node {
		return this.#nodes.at(-1) as Node;
	}

	/** Starts measuring CPU time. The returned function returns the time used by each process, in nanoseconds. */
	meter(): () => Record<string, number> {
		const load = this.#load.pid;
		if (this.redis === undefined) return cpuMeter({ server: this.publisher.pid, load });
		if (this.receiver === this.publisher) return cpuMeter({ server: this.publisher.pid, redis: this.redis.pid, load });
		return cpuMeter({ publisher: this.publisher.pid, redis: this.redis.pid, receiver: this.receiver.pid, load });
	}

	async close(): Promise<void> {
		await Promise.all([this.#load.stop(), ...this.#nodes.map((node) => node.stop())]);
		await this.redis?.stop();
	}
}
