import { type FakeClock, type RedisServer, startRedis, startTcpProxy, type TcpProxy, until } from '@orijs/testkit';
import { RedisWsProvider } from '../../src/index.ts';
import { silentLogger } from '../../src/test-support/silent-logger.ts';
import { type Clocks, clocksOf, REDIS } from '../harness/clocks.ts';
import type { Condition } from '../harness/condition.ts';
import { COLLECT_BEATS_ABOVE } from './collect-beats.ts';
import { NodeProcess } from './node-process.ts';
import { NumberedTopic } from './numbered-topic.ts';
import { HISTORY } from './protocol.ts';
import { RecordingClient } from './recording-client.ts';

const TOPICS = ['kept:0', 'kept:1', 'kept:2', 'kept:3', 'kept:4'];
/** The time between messages on a topic, in milliseconds: at most 200 messages a second on the five topics. */
const EVERY_MS = 25;
/** A topic without history, for comparison. */
const PLAIN = 'plain';
const PLAIN_CLIENTS = 20;
const CLIENTS = 100;
/** The names by which conditions refer to the nodes. */
const NODES = ['a', 'b'];
const SETTLE_MS = 20_000;

/**
 * A Redis server that persists its data, two nodes that connect to it through a proxy each, their clients, and a
 * publisher with a direct connection.
 */
export class HistoryDeployment {
	readonly redis: RedisServer;
	/** The proxy between each node and Redis, in the order of the nodes. */
	readonly proxies: readonly TcpProxy[];
	readonly nodes: readonly NodeProcess[];
	/** The clients of topics with history. */
	readonly clients: readonly RecordingClient[];
	/** The clients of the topic without history. */
	readonly plainClients: readonly RecordingClient[];
	readonly topics: ReadonlyMap<string, NumberedTopic>;
	readonly #publisher: RedisWsProvider;
	readonly #condition: Condition | undefined;
	readonly #clocks: Clocks;

	private constructor(
		redis: RedisServer,
		proxies: readonly TcpProxy[],
		nodes: readonly NodeProcess[],
		publisher: RedisWsProvider,
		topics: readonly string[],
		condition: Condition | undefined,
		clocks: Clocks,
	) {
		this.redis = redis;
		this.proxies = proxies;
		this.nodes = nodes;
		this.#publisher = publisher;
		this.#condition = condition;
		this.#clocks = clocks;
		const url = (i: number): string => nodes[i % nodes.length]?.url ?? '';
		const kept = topics.filter((topic) => topic !== PLAIN);
		this.clients = Array.from({ length: CLIENTS }, (_, i) => new RecordingClient(url(i), kept[i % kept.length] ?? ''));
		this.plainClients = Array.from({ length: PLAIN_CLIENTS }, (_, i) => new RecordingClient(url(i), PLAIN));
		this.topics = new Map(
			topics.map((topic) => [topic, new NumberedTopic(publisher, topic, EVERY_MS, topic !== PLAIN)]),
		);
	}

	/**
	 * Starts everything except publishing. Resolves when every client is subscribed.
	 *
	 * @param kept the topics with history
	 * @param condition applies to all of it, and to each fault that is injected by `inject`
	 */
	static async start(kept: readonly string[] = TOPICS, condition?: Condition): Promise<HistoryDeployment> {
		const clocks = clocksOf(condition);
		// Redis writes a message to disk before it accepts it.
		const redis = await startRedis({
			args: ['--appendonly', 'yes', '--appendfsync', 'always'],
			env: clocks.get(REDIS)?.env ?? {},
		});
		const proxies = await Promise.all(NODES.map(() => startTcpProxy({ port: redis.port })));
		for (const [i, proxy] of proxies.entries()) {
			const { toServer = 0, toClient = 0 } = condition?.links?.[NODES[i] ?? ''] ?? {};
			proxy.delay(toServer, { direction: 'toServer' });
			proxy.delay(toClient, { direction: 'toClient' });
		}
		const nodes = await Promise.all(
			proxies.map(({ port }, i) => NodeProcess.start(port, clocks.get(NODES[i] ?? '')?.env)),
		);
		const publisher = new RedisWsProvider({
			connection: { port: redis.port },
			history: HISTORY,
			collectBeatsAbove: COLLECT_BEATS_ABOVE,
			logger: silentLogger,
		});
		await publisher.start();
		const deployment = new HistoryDeployment(redis, proxies, nodes, publisher, [...kept, PLAIN], condition, clocks);
		await Promise.all(deployment.allClients.map((client) => client.subscribe()));
		return deployment;
	}

	node(name: string): NodeProcess {
		const node = this.nodes[NODES.indexOf(name)];
		if (node === undefined) throw new Error(`there is no node ${name}`);
		return node;
	}

	/** The clock of a node; undefined if it is that of this process. */
	clock(node: string): FakeClock | undefined {
		return this.#clocks.get(node);
	}

	/** Injects a fault in the condition of the deployment. */
	async inject(fault: () => Promise<void>): Promise<void> {
		const outage = async () => {
			const from = Date.now();
			await fault();
			return { from, back: Date.now() };
		};
		await (this.#condition?.around?.(this, outage) ?? outage());
	}

	get allClients(): readonly RecordingClient[] {
		return [...this.clients, ...this.plainClients];
	}

	publish(): void {
		for (const topic of this.topics.values()) topic.start();
	}

	/** Resolves once `count` more messages have been accepted on each topic. */
	async untilAccepted(count: number): Promise<void> {
		const from = this.#lastAccepted();
		await until(() => [...this.topics].every(([name, { last }]) => last >= (from.get(name) ?? 0) + count), {
			what: `${count} more messages are accepted on each topic`,
			timeoutMs: SETTLE_MS,
		});
	}

	/**
	 * Resolves when every client receives messages published from now on. A node that was down may have lost earlier
	 * ones, including the last one.
	 */
	async #untilLive(): Promise<void> {
		const from = this.#lastAccepted();
		await until(() => this.clients.every(({ topic, last }) => Number(last) > (from.get(topic) ?? 0)), {
			what: 'every client receives new messages',
			timeoutMs: SETTLE_MS,
		});
	}

	#lastAccepted(): Map<string, number> {
		return new Map([...this.topics].map(([name, { last }]) => [name, last]));
	}

	/** Stops publishing. Resolves when every client of a topic with history has received the topic's last message. */
	async settle(): Promise<void> {
		await this.#untilLive();
		await Promise.all([...this.topics.values()].map((topic) => topic.stop()));
		const late = (): RecordingClient[] =>
			this.clients.filter(({ topic, last }) => last !== String(this.topics.get(topic)?.last));
		await until(() => late().length === 0, {
			what: () =>
				`every client has the last message; ${late().length} have not: ${Bun.inspect(late()[0]?.events.slice(-3))}`,
			timeoutMs: SETTLE_MS,
		});
	}

	async stop(): Promise<void> {
		await Promise.all(this.allClients.map((client) => client.close()));
		await this.#publisher.stop();
		await Promise.all(this.nodes.map((node) => node.stop()));
		await Promise.all(this.proxies.map((proxy) => proxy.stop()));
		await this.redis.stop();
		for (const clock of this.#clocks.values()) clock.remove();
	}
}
