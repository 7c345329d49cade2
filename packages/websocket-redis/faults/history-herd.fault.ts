import { type RedisServer, startRedis, until } from '@orijs/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RedisWsProvider } from '../src/index.ts';
import { Follower } from './history/follower.ts';
import { HistoryNode } from './history/history-node.ts';
import { HISTORY } from './history/protocol.ts';
import { SILENT } from './history/silent.ts';

const CLIENTS = 1_000;
const TOPICS = ['kept:0', 'kept:1'];
const MISSED = 500;
/** How many messages a node reads at once. */
const PAGE = 200;

let redis: RedisServer;
let node: HistoryNode;
let publisher: RedisWsProvider;
let followers: Follower[];

beforeAll(async () => {
	redis = await startRedis();
	node = await HistoryNode.start(redis.port);
	publisher = new RedisWsProvider({ connection: { port: redis.port }, history: HISTORY, logger: SILENT });
	await publisher.start();
	followers = Array.from({ length: CLIENTS }, (_, i) => new Follower(node.url, TOPICS[i % TOPICS.length] ?? ''));
	await Promise.all(followers.map((follower) => follower.join()));
});
afterAll(async () => {
	await Promise.all(followers.map((follower) => follower.close()));
	await publisher.stop();
	await node.stop();
	await redis.stop();
});

async function publish(texts: readonly string[]): Promise<void> {
	for (const topic of TOPICS) await Promise.all(texts.map((text) => publisher.publish(topic, text)));
}

interface Reads {
	/** Pages that lead back from where a topic stands. */
	readonly pages: number;
	/** Those, and each time that a node asks where a topic stands. */
	readonly all: number;
}

/** How many there were. What is too old is let go with every read. */
async function reads(): Promise<Reads> {
	const stats = String(await redis.command('INFO', 'commandstats'));
	const calls = (command: string): number =>
		Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
	return { pages: calls('xrevrange'), all: calls('xtrim') };
}

async function untilAllHave(text: string): Promise<void> {
	await until(() => followers.every(({ last }) => last === text), {
		what: () => `all have ${text}; ${followers.filter(({ last }) => last !== text).length} have not`,
		timeoutMs: 30_000,
	});
}

it('1,000 clients that come back all at once cost one read per topic and page', async () => {
	await publish(['first']);
	await untilAllHave('first');
	await node.kill();
	const missed = Array.from({ length: MISSED }, (_, n) => `${n}`);
	await publish(missed);
	const before = await reads();
	await node.restart();
	await untilAllHave(`${MISSED - 1}`);
	const after = await reads();
	// When it starts, a node tries out whether it can read.
	const pages = after.pages - before.pages - 1;
	const all = after.all - before.all - 1;

	for (const { texts } of followers) expect(texts).toEqual(['first', ...missed]);
	console.log(
		`${CLIENTS} clients, ${TOPICS.length} topics, ${MISSED} messages each: ${all} reads, ${pages} of them of pages`,
	);
	expect(pages).toBe(TOPICS.length * Math.ceil(MISSED / PAGE));
	// The node asks when the first is in the topic, and when it is subscribed to it.
	expect(all - pages).toBeLessThanOrEqual(TOPICS.length * 2);
});
