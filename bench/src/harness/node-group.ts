import { hasSent, type RedisServer, startRedis, startTcpProxy, type TcpProxy, until } from '@orijs/testkit';
import { now } from '../clock.ts';
import type { NodeEvent } from '../nodes/requests.ts';
import { cpuMeter } from './cpu.ts';
import { NodeHost } from './node-host.ts';
import { framesDuring, trafficMeter } from './redis-traffic.ts';

/** The most processes that share the nodes. */
const MAX_HOSTS = 4;
const FOUND_WITHIN_MS = 60_000;
/** Longer than it takes until a silent node is noticed, in milliseconds. */
const CALM_MS = 5_000;
/** Faults begin at a random time within this span, so that they don't keep step with heartbeats. */
const HEARTBEAT_MS = 500;

/** What it costs to start nodes, until all know each other, in nanoseconds. */
export interface StartCost {
	/** The processor time of Redis, per node. */
	readonly redisNs: number;
	/** How long it takes, with a process for up to a quarter of the nodes. */
	readonly elapsedNs: number;
}

/** What idle nodes cost. All figures are per second. */
export interface IdleCost {
	/** The share of a processor core that Redis uses. */
	readonly redisShare: number;
	/** Per node, in nanoseconds. */
	readonly nodeNs: number;
	readonly writesPerNode: number;
	readonly bytesPerNode: number;
	/** By command, calls by scripts included. Commands that were not called are left out. */
	readonly callsPerNode: Readonly<Record<string, number>>;
	/** The share of the nodes that have reported no fault meanwhile. */
	readonly undisturbed: number;
	/** What the others have reported. */
	readonly faults: readonly NodeEvent[];
}

export interface FramesReceived {
	/** Per node and second. */
	readonly frames: number;
	/** The bytes of frames that several nodes receive, per node and second. */
	readonly sharedBytes: number;
}

/** Nodes of this system on one Redis. One of them, the victim of faults, has a process and connections of its own. */
export class NodeGroup {
	readonly size: number;
	readonly #redis: RedisServer;
	readonly #hosts: readonly NodeHost[];
	readonly #proxy: TcpProxy;
	readonly #victim: NodeHost;

	private constructor(redis: RedisServer, hosts: readonly NodeHost[], proxy: TcpProxy, victim: NodeHost) {
		this.#redis = redis;
		this.#hosts = hosts;
		this.#proxy = proxy;
		this.#victim = victim;
		this.size = this.#all.reduce((sum, { ids }) => sum + ids.length, 0);
	}

	/** Starts nodes, at least 2. Resolves once all know each other, and the rush of the start is over. */
	static async start(size: number): Promise<{ readonly group: NodeGroup; readonly cost: StartCost }> {
		const redis = await startRedis();
		const used = cpuMeter({ redis: redis.pid });
		const startedAt = now();
		const proxy = await startTcpProxy({ port: redis.port });
		const others = size - 1;
		const count = Math.min(MAX_HOSTS, others);
		const sizes = Array.from({ length: count }, (_, index) => Math.floor((others + index) / count));
		const [victim, ...hosts] = await Promise.all([
			NodeHost.start(proxy.port, 1),
			...sizes.map((nodes) => NodeHost.start(redis.port, nodes)),
		]);
		const group = new NodeGroup(redis, hosts, proxy, victim);
		await group.#settle();
		const cost = { redisNs: (used()['redis'] ?? 0) / size, elapsedNs: now() - startedAt };
		await group.#calm();
		return { group, cost };
	}

	get #all(): readonly NodeHost[] {
		return [...this.#hosts, this.#victim];
	}

	/** Resolves once all nodes know each other. */
	async #settle(): Promise<void> {
		await Promise.all(this.#all.map((host) => host.waitUntilKnown(this.size)));
	}

	/** Resolves once no node has reported a fault for a while: many that start at once keep each other waiting. */
	async #calm(): Promise<void> {
		await until(() => this.#events(now() - CALM_MS * 1e6).length === 0, {
			what: `no node has reported a fault for ${CALM_MS} ms`,
			timeoutMs: FOUND_WITHIN_MS,
		});
	}

	#events(since: number): readonly NodeEvent[] {
		return this.#all.flatMap((host) => host.events(since));
	}

	async idle(ms: number): Promise<IdleCost> {
		const traffic = await trafficMeter(this.#redis);
		const pids = Object.fromEntries(this.#all.map(({ pid }) => [`host ${pid}`, pid]));
		const startedAt = now();
		const used = cpuMeter({ ...pids, redis: this.#redis.pid });
		await Bun.sleep(ms);
		const { redis = 0, ...hosts } = used();
		const elapsedNs = now() - startedAt;
		const { bytesToClients, reads, calls } = await traffic();
		const perNode = (sum: number): number => sum / this.size / (elapsedNs / 1e9);
		const called = [...calls].filter(([, count]) => count > 0);
		const faults = this.#events(startedAt);
		const disturbed = new Set(faults.map(({ node }) => node));
		return {
			redisShare: redis / elapsedNs,
			nodeNs: perNode(Object.values(hosts).reduce((sum, ns) => sum + ns, 0)),
			writesPerNode: perNode(reads),
			bytesPerNode: perNode(bytesToClients),
			callsPerNode: Object.fromEntries(Array.from(called, ([name, count]) => [name, perNode(count)])),
			undisturbed: 1 - disturbed.size / this.size,
			faults,
		};
	}

	async framesReceived(ms: number): Promise<FramesReceived> {
		const channels = await framesDuring(this.#redis, ms);
		const perNode = (sum: number): number => sum / this.size / (ms / 1e3);
		return {
			frames: perNode(channels.reduce((sum, { frames, subscribers }) => sum + frames * subscribers, 0)),
			sharedBytes: perNode(
				channels
					.filter(({ subscribers }) => subscribers > 1)
					.reduce((sum, { bytes, subscribers }) => sum + bytes * subscribers, 0),
			),
		};
	}

	/**
	 * Lets nothing more arrive over a node's subscriptions, while their connection stays open. Resolves with the times
	 * until the node has noticed that and until it is ready again, in milliseconds.
	 */
	async findDeadSubscription(): Promise<{ readonly foundMs: number; readonly readyMs: number }> {
		await Bun.sleep(Math.random() * HEARTBEAT_MS);
		const frozenAt = now();
		const frozen = this.#proxy.freeze(hasSent('SUBSCRIBE'), { direction: 'toClient' });
		if (frozen === 0) throw new Error('The node has no connection with subscriptions');
		const at = (kind: NodeEvent['kind']): number | undefined =>
			this.#victim.events(frozenAt).find((event) => event.kind === kind)?.at;
		await until(() => at('ready') !== undefined, {
			what: 'a node has noticed that its subscriptions are dead',
			timeoutMs: FOUND_WITHIN_MS,
		});
		await this.#settle();
		return {
			foundMs: ((at('degraded') ?? NaN) - frozenAt) / 1e6,
			readyMs: ((at('ready') ?? NaN) - frozenAt) / 1e6,
		};
	}

	/** Freezes the process of a node. Resolves with the times until other nodes have noticed that, in milliseconds. */
	async findSilentNode(): Promise<readonly number[]> {
		await Bun.sleep(Math.random() * HEARTBEAT_MS);
		const [id] = this.#victim.ids;
		const frozenAt = now();
		this.#victim.freeze();
		const found = (): ReadonlyMap<string, number> => {
			const events = this.#hosts.flatMap((host) => host.events(frozenAt));
			const lost = events.filter(({ kind, about }) => kind === 'lost' && about === id);
			return new Map(lost.map(({ node, at }) => [node, (at - frozenAt) / 1e6]));
		};
		await until(() => found().size === this.size - 1, {
			what: () => `all ${this.size - 1} other nodes have noticed that a node is silent; ${found().size} have`,
			timeoutMs: FOUND_WITHIN_MS,
		});
		const times = [...found().values()];
		this.#victim.thaw();
		await this.#settle();
		return times;
	}

	async close(): Promise<void> {
		await Promise.all(this.#all.map((host) => host.stop()));
		await this.#proxy.stop();
		await this.#redis.stop();
	}
}
