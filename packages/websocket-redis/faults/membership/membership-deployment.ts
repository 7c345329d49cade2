import {
	freePort,
	type RedisServer,
	RecordingLogger,
	startRedis,
	startTcpProxy,
	type TcpProxy,
	until,
} from '@orijs/testkit';
import { SocketMessage, type StandardSchemaV1 } from '@orijs/websocket/protocol';
import { Application, type AppSocket } from '../../../core/src/index.ts';
import { SocketClient } from '../../../websocket-client/src/index.ts';
import { RedisWsProvider } from '../../src/index.ts';
import { COLLECT_BEATS_ABOVE } from '../history/collect-beats.ts';
import { sample } from '../history/random.ts';
import { Ledger } from './ledger.ts';

const schema: StandardSchemaV1<{ n: number }> = {
	'~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as { n: number } }) },
};
const Numbered = SocketMessage.define({ name: 'numbered', data: schema });

const CLIENTS = 100;
const TOPICS = [...Array(10).keys()].flatMap((index) => [`plain:${index}`, `kept:${index}`]);
/** To how many topics each client is subscribed in the beginning. */
const FIRST_TOPICS = 5;
const MESSAGES_PER_TURN = 1;
const TURN_MS = 8;

type Socket = AppSocket<{ client: number }>;

interface Node {
	readonly app: Application<{ client: number }>;
	readonly provider: RedisWsProvider;
	readonly port: number;
}

/**
 * Two nodes on one Redis, whose application decides in which topics each of 100 clients is: `wanted` is its database.
 * Everything runs in this process; each client has a network of its own, which leads to either node.
 */
export class MembershipDeployment {
	readonly ledger: Ledger = new Ledger();
	readonly redis: RedisServer;
	readonly #nodes: readonly Node[];
	readonly #networks: readonly TcpProxy[];
	readonly #clients: readonly SocketClient[];
	readonly #wanted: readonly Set<string>[];
	readonly #sockets: readonly Set<Socket>[];
	#count = 0;
	#publishing: ReturnType<typeof setInterval> | undefined;

	static async start(): Promise<MembershipDeployment> {
		const redis = await startRedis();
		const wanted = Array.from({ length: CLIENTS }, () => new Set(sample(TOPICS, FIRST_TOPICS)));
		const sockets = Array.from({ length: CLIENTS }, () => new Set<Socket>());
		const nodes = await Promise.all([0, 1].map(() => startNode(redis, wanted, sockets)));
		const networks = await Promise.all(wanted.map(() => startTcpProxy({ port: (sample(nodes, 1)[0] as Node).port })));
		return new MembershipDeployment(redis, nodes, networks, wanted, sockets);
	}

	private constructor(
		redis: RedisServer,
		nodes: readonly Node[],
		networks: readonly TcpProxy[],
		wanted: readonly Set<string>[],
		sockets: readonly Set<Socket>[],
	) {
		this.redis = redis;
		this.#nodes = nodes;
		this.#networks = networks;
		this.#wanted = wanted;
		this.#sockets = sockets;
		this.#clients = networks.map(({ port }, client) => this.#newClient(client, port));
	}

	#newClient(index: number, port: number): SocketClient {
		const client = new SocketClient(`ws://127.0.0.1:${port}/ws?client=${index}`, {
			reconnect: { minDelayMs: 20, maxDelayMs: 200 },
		});
		client.onTopicsChange(({ topic, type, code }) => {
			if (type === 'subscribed') this.ledger.subscribed(index, topic);
			// After a reconnect, the server subscribes it again. A client may learn that it is in when it is no longer.
			else if (code !== 'disconnected') this.ledger.removed(index, topic);
		});
		client.on(Numbered, ({ n }, { topic = '' }) => this.ledger.received(index, topic, n, topic.startsWith('kept:')));
		client.onGap((gap) => this.ledger.gap(index, gap));
		client.onError(() => {});
		void client.connect();
		return client;
	}

	/** Publishes to all topics in turn, on either node, until `stopPublishing`. */
	startPublishing(): void {
		this.#publishing = setInterval(() => {
			for (let i = 0; i < MESSAGES_PER_TURN; i++) this.#publish();
		}, TURN_MS);
	}

	stopPublishing(): void {
		clearInterval(this.#publishing);
	}

	#publish(): void {
		const n = this.#count++;
		const topic = TOPICS[n % TOPICS.length] as string;
		const { provider } = sample(this.#nodes, 1)[0] as Node;
		const at = Date.now();
		// What the backend did not accept is not counted: the publisher knows.
		provider.emit(Numbered, topic, { n }).then(
			() => this.ledger.published(topic, n, at),
			() => {},
		);
	}

	/** The server subscribes a random client to a random topic, or removes it. */
	change(): void {
		const [client, topic] = [sample([...this.#wanted.keys()], 1)[0] as number, sample(TOPICS, 1)[0] as string];
		const topics = this.#wanted[client] as Set<string>;
		if (topics.delete(topic)) {
			this.ledger.removed(client, topic);
			for (const ws of this.#sockets[client] ?? []) void ws.unsubscribe(topic, { code: 'removed' });
		} else {
			topics.add(topic);
			for (const ws of this.#sockets[client] ?? []) void ws.subscribe(topic);
		}
	}

	/** Cuts the connections of some clients, which then come to either node. */
	cut(count: number): void {
		for (const network of sample(this.#networks, count)) {
			network.retarget({ port: (sample(this.#nodes, 1)[0] as Node).port });
			network.cut();
		}
	}

	/** Resolves once the server, the backend and the clients agree on who is in which topic. */
	async untilAllAgree(): Promise<void> {
		let difference: string | undefined = 'nothing was compared';
		await until(async () => (difference = await this.#difference()) === undefined, {
			what: () => `all agree: ${difference}`,
			timeoutMs: 20_000,
		});
	}

	async #difference(): Promise<string | undefined> {
		for (const [index, client] of this.#clients.entries()) {
			const wanted = namesOf(this.#wanted[index] ?? []);
			if (client.state !== 'ready') return `client ${index} is ${client.state}`;
			const told = namesOf(client.topics.map(({ topic }) => topic));
			if (told !== wanted) return `client ${index} was told ${told}, and the server wants ${wanted}`;
			const sockets = [...(this.#sockets[index] ?? [])];
			if (sockets.length !== 1) return `client ${index} has ${sockets.length} sockets`;
			const kept = namesOf(sockets[0]?.data.topics ?? []);
			if (kept !== wanted) return `the node has client ${index} in ${kept}, and the server wants ${wanted}`;
		}
		for (const topic of TOPICS) {
			const nodes = this.#nodes.filter(({ provider }) => provider.getTopicSubscriberCount(topic) > 0).length;
			const [, subscribers] = (await this.redis.command('PUBSUB', 'NUMSUB', `orijs:${topic}`)) as [string, number];
			if (subscribers !== nodes) return `${topic} has ${subscribers} subscribers at Redis, and ${nodes} nodes need it`;
		}
		return undefined;
	}

	/** Resolves once a last message has come to every client, on every topic that it is in. */
	async untilAllDelivered(): Promise<void> {
		const last = new Map<string, number>();
		for (const topic of TOPICS) last.set(topic, await this.#publishLast(topic));
		const missing = (): string | undefined => {
			for (const [client, topics] of this.#wanted.entries()) {
				for (const topic of topics) {
					if (!this.ledger.hasReceived(client, topic, last.get(topic) as number)) return `${topic} at client ${client}`;
				}
			}
			return undefined;
		};
		await until(() => missing() === undefined, {
			what: () => `the last message has arrived: ${missing()}`,
			timeoutMs: 20_000,
		});
	}

	async #publishLast(topic: string): Promise<number> {
		const n = this.#count++;
		const at = Date.now();
		await (this.#nodes[0] as Node).provider.emit(Numbered, topic, { n });
		this.ledger.published(topic, n, at);
		return n;
	}

	async stop(): Promise<void> {
		this.stopPublishing();
		await Promise.all(this.#clients.map((client) => client.close()));
		await Promise.all(this.#nodes.map(({ app }) => app.stop({ graceMs: 0 })));
		await Promise.all(this.#networks.map((network) => network.stop()));
		await this.redis.stop();
	}
}

async function startNode(
	redis: RedisServer,
	wanted: readonly Set<string>[],
	sockets: readonly Set<Socket>[],
): Promise<Node> {
	const logger = new RecordingLogger();
	const provider = new RedisWsProvider({
		connection: { port: redis.port },
		collectBeatsAbove: COLLECT_BEATS_ABOVE,
		history: { 'kept:*': { size: 5_000, ttlMs: 600_000 } },
		logger,
	});
	const port = await freePort();
	const app = new Application({ logger, signals: false })
		.websocket(provider, { upgrade: (req) => ({ client: Number(new URL(req.url).searchParams.get('client')) }) })
		.onWebSocket({
			open(ws) {
				const { client } = ws.data.data;
				sockets[client]?.add(ws);
				for (const topic of wanted[client] ?? []) void ws.subscribe(topic);
			},
			close(ws) {
				sockets[ws.data.data.client]?.delete(ws);
			},
		});
	await app.listen({ port, hostname: '127.0.0.1' });
	return { app, provider, port };
}

function namesOf(topics: Iterable<string>): string {
	return [...topics].toSorted().join(' ') || 'none';
}
