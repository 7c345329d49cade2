import { type RedisServer, startRedis } from '@orijs/testkit';
import type { Bench } from './bench.ts';
import { cpuMeter } from './cpu.ts';
import { Crowd } from './crowd.ts';
import { Load } from './load.ts';
import { Node } from './node.ts';
import type { SubjectKind } from './subject-kind.ts';

export interface Setting {
	/** One client for each entry, which is the topics it is in. */
	readonly clients: readonly (readonly string[])[];
	/** 2: publishes happen on one node, over Redis to the clients of the other. */
	readonly nodes: 1 | 2;
	/** Notes when a message from the other node is handed to the runtime's publish. */
	readonly timesHandOff?: boolean;
}

/** A subject that runs, with its clients in their topics, and all to itself: its Redis and the process that its clients live in. */
export class Stage {
	readonly bench: Bench;
	readonly kind: SubjectKind;
	readonly crowd: Crowd;
	readonly redis: RedisServer | undefined;
	readonly #nodes: readonly Node[];
	readonly #load: Load;

	private constructor(
		bench: Bench,
		kind: SubjectKind,
		nodes: readonly Node[],
		load: Load,
		crowd: Crowd,
		redis: RedisServer | undefined,
	) {
		this.bench = bench;
		this.kind = kind;
		this.#nodes = nodes;
		this.#load = load;
		this.crowd = crowd;
		this.redis = redis;
	}

	static async open(bench: Bench, kind: SubjectKind, { clients, nodes: count, timesHandOff }: Setting): Promise<Stage> {
		const redis = count > 1 || kind.overRedis ? await startRedis() : undefined;
		const settings = { ...(redis && { redisPort: redis.port }), ...(timesHandOff && { timesHandOff }) };
		const nodes: Node[] = [];
		while (nodes.length < count) nodes.push(await Node.start(kind, settings));
		const load = new Load();
		const crowd = await Crowd.connect(load, nodes.at(-1) as Node, { clients });
		await crowd.quiet();
		return new Stage(bench, kind, nodes, load, crowd, redis);
	}

	/** More clients, where the first ones are. */
	connect(clients: Setting['clients'], options: { atOnce?: number; query?: string } = {}): Promise<Crowd> {
		return Crowd.connect(this.#load, this.receiver, { clients, ...options });
	}

	get publisher(): Node {
		return this.#nodes[0] as Node;
	}

	/** Where the clients are. */
	get receiver(): Node {
		return this.#nodes.at(-1) as Node;
	}

	/** Begins to measure processor time; the function returned tells it by process, in nanoseconds. */
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
