import { type RedisServer, startRedis } from '@orijs/testkit';
import type { Bench } from './bench.ts';
import { cpuMeter } from './cpu.ts';
import { Crowd } from './crowd.ts';
import type { Node } from './node.ts';
import type { SubjectKind } from './subject-kind.ts';

export interface Setting {
	/** One client for each entry, which is the topics it is in. */
	readonly clients: readonly (readonly string[])[];
	/** 2: publishes happen on one node, over Redis to the clients of the other. */
	readonly nodes: 1 | 2;
	/** Notes when a message from the other node is handed to the runtime's publish. */
	readonly timesHandOff?: boolean;
}

/** A subject that runs, with its clients in their topics. */
export class Stage {
	readonly bench: Bench;
	readonly kind: SubjectKind;
	readonly crowd: Crowd;
	readonly #nodes: readonly Node[];

	/** Of its own: subjects must not hear each other. */
	readonly redis: RedisServer | undefined;

	private constructor(bench: Bench, kind: SubjectKind, nodes: readonly Node[], crowd: Crowd, redis?: RedisServer) {
		this.redis = redis;
		this.bench = bench;
		this.kind = kind;
		this.#nodes = nodes;
		this.crowd = crowd;
	}

	static async open(bench: Bench, kind: SubjectKind, { clients, nodes: count, timesHandOff }: Setting): Promise<Stage> {
		const redis = count > 1 || kind.overRedis ? await startRedis() : undefined;
		const settings = { ...(redis && { redisPort: redis.port }), ...(timesHandOff && { timesHandOff }) };
		const nodes: Node[] = [];
		while (nodes.length < count) nodes.push(await bench.startNode(kind, settings));
		const crowd = await Crowd.connect(bench, nodes.at(-1) as Node, { clients });
		await crowd.quiet();
		return new Stage(bench, kind, nodes, crowd, redis);
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
		const load = this.bench.load.pid;
		if (this.redis === undefined) return cpuMeter({ server: this.publisher.pid, load });
		if (this.receiver === this.publisher) return cpuMeter({ server: this.publisher.pid, redis: this.redis.pid, load });
		return cpuMeter({ publisher: this.publisher.pid, redis: this.redis.pid, receiver: this.receiver.pid, load });
	}

	async close(): Promise<void> {
		await this.crowd.close();
		await Promise.all(this.#nodes.map((node) => this.bench.stopNode(node)));
		await this.redis?.stop();
	}
}
