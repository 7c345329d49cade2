import { type RedisServer, startRedis, startTcpProxy, type TcpProxy, until } from '@orijs/testkit';
import { RedisWsProvider } from '../../src/index.ts';
import { Follower } from './follower.ts';
import { HistoryNode } from './history-node.ts';
import { NumberedTopic } from './numbered.ts';
import { HISTORY } from './protocol.ts';
import { SILENT } from './silent.ts';

/** In all 200 messages a second. */
const TOPICS = ['kept:0', 'kept:1', 'kept:2', 'kept:3', 'kept:4'];
const EVERY_MS = 25;
/** The control: a topic without history, and those who follow it. */
const PLAIN = 'plain';
const PLAIN_FOLLOWERS = 20;
const FOLLOWERS = 100;
const NODES = 2;
const SETTLE_MS = 20_000;

/** A Redis that keeps what it was told, two nodes with a link to it each, a hundred clients, and somebody who publishes without such a link. */
export class Crowd {
	readonly redis: RedisServer;
	/** The way of each node to Redis, in the order of the nodes. */
	readonly links: readonly TcpProxy[];
	readonly nodes: readonly HistoryNode[];
	readonly followers: readonly Follower[];
	readonly plain: readonly Follower[];
	readonly topics: ReadonlyMap<string, NumberedTopic>;
	readonly #publisher: RedisWsProvider;

	private constructor(
		redis: RedisServer,
		links: readonly TcpProxy[],
		nodes: readonly HistoryNode[],
		publisher: RedisWsProvider,
		topics: readonly string[],
	) {
		this.redis = redis;
		this.links = links;
		this.nodes = nodes;
		this.#publisher = publisher;
		const url = (i: number): string => nodes[i % nodes.length]?.url ?? '';
		const kept = topics.filter((topic) => topic !== PLAIN);
		this.followers = Array.from({ length: FOLLOWERS }, (_, i) => new Follower(url(i), kept[i % kept.length] ?? ''));
		this.plain = Array.from({ length: PLAIN_FOLLOWERS }, (_, i) => new Follower(url(i), PLAIN));
		this.topics = new Map(
			topics.map((topic) => [topic, new NumberedTopic(publisher, topic, EVERY_MS, topic !== PLAIN)]),
		);
	}

	/** Resolves when everybody is in their topic. Nothing is published yet. @param kept the topics with history */
	static async gather(kept: readonly string[] = TOPICS): Promise<Crowd> {
		// What Redis has accepted is on disk.
		const redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
		const links = await Promise.all(Array.from({ length: NODES }, () => startTcpProxy({ port: redis.port })));
		const nodes = await Promise.all(links.map(({ port }) => HistoryNode.start(port)));
		const publisher = new RedisWsProvider({ connection: { port: redis.port }, history: HISTORY, logger: SILENT });
		await publisher.start();
		const crowd = new Crowd(redis, links, nodes, publisher, [...kept, PLAIN]);
		await Promise.all(crowd.everybody.map((follower) => follower.join()));
		return crowd;
	}

	get everybody(): readonly Follower[] {
		return [...this.followers, ...this.plain];
	}

	/** The followers that are clients of one node. */
	followersOf(node: number): readonly Follower[] {
		return this.followers.filter((_, i) => i % this.nodes.length === node);
	}

	publish(): void {
		for (const topic of this.topics.values()) topic.start();
	}

	/** So many more are accepted on each topic. */
	async more(count: number): Promise<void> {
		const from = new Map([...this.topics].map(([name, { last }]) => [name, last]));
		await until(() => [...this.topics].every(([name, { last }]) => last >= (from.get(name) ?? 0) + count), {
			what: `${count} more messages are accepted on each topic`,
			timeoutMs: SETTLE_MS,
		});
	}

	/** Everybody hears what is published now: what came before a node was back may be lost to it, the last message as well. */
	async #live(): Promise<void> {
		const from = new Map([...this.topics].map(([name, { last }]) => [name, last]));
		await until(() => this.followers.every(({ topic, last }) => Number(last) > (from.get(topic) ?? 0)), {
			what: 'everybody hears what is published',
			timeoutMs: SETTLE_MS,
		});
	}

	/** Publishes no more; resolves when everybody has heard the last message of their topic with history. */
	async settle(): Promise<void> {
		await this.#live();
		await Promise.all([...this.topics.values()].map((topic) => topic.stop()));
		const late = (): Follower[] =>
			this.followers.filter(({ topic, last }) => last !== String(this.topics.get(topic)?.last));
		await until(() => late().length === 0, {
			what: () =>
				`everybody has the last message, and not all but ${late().length}: ${Bun.inspect(late()[0]?.told.slice(-3))}`,
			timeoutMs: SETTLE_MS,
		});
	}

	async disperse(): Promise<void> {
		await Promise.all(this.everybody.map((follower) => follower.close()));
		await this.#publisher.stop();
		await Promise.all(this.nodes.map((node) => node.stop()));
		await Promise.all(this.links.map((link) => link.stop()));
		await this.redis.stop();
	}
}
