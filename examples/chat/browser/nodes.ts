import { freePort, type RedisServer, type ScriptProcess, spawnBun, startRedis, until } from '@orijs/testkit';

/** The key that makes a visitor a moderator. */
export const MODERATOR_KEY = 'a key';

/** A chat server in its own process. */
export interface ChatNode {
	readonly url: string;
	/** The node's name on the page. */
	readonly name: string;
	readonly process: ScriptProcess;
}

/** Two nodes that are connected only through a shared Redis. */
export interface TwoNodes {
	readonly one: ChatNode;
	readonly two: ChatNode;
	readonly redis: RedisServer;
	stop(): Promise<void>;
}

export async function startTwoNodes(ports?: readonly [number, number]): Promise<TwoNodes> {
	const redis = await startRedis();
	const [first, second] = ports ?? [await freePort(), await freePort()];
	const [one, two] = await Promise.all([startChatNode(first, redis), startChatNode(second, redis)]);
	return {
		one,
		two,
		redis,
		async stop() {
			await Promise.all([one.process.stop(5_000), two.process.stop(5_000)]);
			await redis.stop();
		},
	};
}

/** Starts a chat node. Resolves once it listens. Without a Redis, it is a single node. */
export async function startChatNode(port: number, redis?: RedisServer): Promise<ChatNode> {
	const url = `http://localhost:${port}`;
	const process = spawnBun(new URL('../src/main.ts', import.meta.url), {
		env: { NODE_ENV: 'production', PORT: String(port), REDIS_URL: redis?.url, MODERATOR_KEY },
	});
	await until(() => process.output().includes(`The chat is at ${url}\n`), {
		what: 'a node listens',
		timeoutMs: 15_000,
	});
	return { url, name: `node ${port}`, process };
}
