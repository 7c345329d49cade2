import { type RedisServer, startRedis, until } from '@orijs/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RedisWsProvider } from '../src/index.ts';
import { RecordingClient } from './history/recording-client.ts';
import { NodeProcess } from './history/node-process.ts';
import { HISTORY } from './history/protocol.ts';
import { silentLogger } from '../src/test-support/silent-logger.ts';

const CLIENTS = 1_000;
const TOPICS = ['kept:0', 'kept:1'];
const MISSED = 500;
/** The number of messages that a node reads per page. */
const PAGE = 200;

let redis: RedisServer;
let node: NodeProcess;
let publisher: RedisWsProvider;
let clients: RecordingClient[];

beforeAll(async () => {
	redis = await startRedis();
	node = await NodeProcess.start(redis.port);
	publisher = new RedisWsProvider({ connection: { port: redis.port }, history: HISTORY, logger: silentLogger });
	await publisher.start();
	clients = Array.from({ length: CLIENTS }, (_, i) => new RecordingClient(node.url, TOPICS[i % TOPICS.length] ?? ''));
	await Promise.all(clients.map((client) => client.subscribe()));
});
afterAll(async () => {
	await Promise.all(clients.map((client) => client.close()));
	await publisher.stop();
	await node.stop();
	await redis.stop();
});

async function publish(texts: readonly string[]): Promise<void> {
	for (const topic of TOPICS) await Promise.all(texts.map((text) => publisher.publish(topic, text)));
}

interface Reads {
	/** Reads of pages, backwards from the end of a topic. */
	readonly pages: number;
	/** Reads of pages and of topics' positions. */
	readonly all: number;
}

/** Returns the number of reads so far. Every read trims the topic, so the trims are counted. */
async function reads(): Promise<Reads> {
	const stats = String(await redis.command('INFO', 'commandstats'));
	const calls = (command: string): number =>
		Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
	return { pages: calls('xrevrange'), all: calls('xtrim') };
}

async function untilAllHave(text: string): Promise<void> {
	await until(() => clients.every(({ last }) => last === text), {
		what: () => `all clients have ${text}; ${clients.filter(({ last }) => last !== text).length} have not`,
		timeoutMs: 30_000,
	});
}

it('1,000 clients that reconnect at once cost one read per topic and page', async () => {
	await publish(['first']);
	await untilAllHave('first');
	await node.kill();
	const missed = Array.from({ length: MISSED }, (_, n) => `${n}`);
	await publish(missed);
	const before = await reads();
	await node.restart();
	await untilAllHave(`${MISSED - 1}`);
	const after = await reads();
	// A node reads once to probe Redis when it starts.
	const pages = after.pages - before.pages - 1;
	const all = after.all - before.all - 1;

	for (const { texts } of clients) expect(texts).toEqual(['first', ...missed]);
	console.log(
		`${CLIENTS} clients, ${TOPICS.length} topics, ${MISSED} messages each: ${all} reads, ${pages} of them of pages`,
	);
	expect(pages).toBe(TOPICS.length * Math.ceil(MISSED / PAGE));
	// The node reads the position when the first client subscribes, and again when its own subscription is active.
	expect(all - pages).toBeLessThanOrEqual(TOPICS.length * 2);
});
