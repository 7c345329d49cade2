import { type RedisServer, startRedis, startTcpProxy, type TcpProxy, until } from '@orijs/testkit';
import { RedisWsProvider } from '../../src/index.ts';
import { silentLogger } from '../../src/test-support/silent-logger.ts';
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
const NODES = 2;
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

	private constructor(
		redis: RedisServer,
		proxies: readonly TcpProxy[],
		nodes: readonly NodeProcess[],
		publisher: RedisWsProvider,
		topics: readonly string[],
	) {
		this.redis = redis;
		this.proxies = proxies;
		this.nodes = nodes;
		this.#publisher = publisher;
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
	 */
	static async start(kept: readonly string[] = TOPICS): Promise<HistoryDeployment> {
		// Redis writes a message to disk before it accepts it.
		const redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
		const proxies = await Promise.all(Array.from({ length: NODES }, () => startTcpProxy({ port: redis.port })));
		const nodes = await Promise.all(proxies.map(({ port }) => NodeProcess.start(port)));
		const publisher = new RedisWsProvider({ connection: { port: redis.port }, history: HISTORY, logger: silentLogger });
		await publisher.start();
		const deployment = new HistoryDeployment(redis, proxies, nodes, publisher, [...kept, PLAIN]);
		await Promise.all(deployment.allClients.map((client) => client.subscribe()));
		return deployment;
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
	}
}
