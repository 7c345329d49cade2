import { type RedisServer, startRedis, startTcpProxy, type TcpProxy, type TestClient, until } from '@orijs/testkit';
import type { Gap, MessagePosition, Position } from '@orijs/websocket';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type RedisWsProvider } from '../index.ts';
import { resolves } from '../test-support/resolves.ts';
import { startNode, type TestNode } from '../test-support/test-nodes.ts';

const HISTORY = { 'long:*': { size: 10_000, ttlMs: 600_000 } };
const TOPICS = ['plain', 'long:1'];
const SOON = { timeoutMs: 15_000 };

/** What a client has received of a topic. */
interface Received {
	readonly what: 'subscribed' | 'unsubscribed' | 'message';
	/** The number of the message. */
	readonly number?: number;
	/** Of the message, or of the notice. */
	readonly position?: Position & Partial<MessagePosition>;
	readonly since?: number;
	readonly timestamp?: number;
	readonly code?: string;
}

interface Frame {
	readonly type?: string;
	readonly data: string | NoticeData;
	readonly position?: MessagePosition;
}

interface NoticeData {
	readonly timestamp?: number;
	readonly topics: readonly (Received & { readonly topic: string })[];
}

/** Numbered messages are `{topic} {number}`. */
function receivedOf({ texts }: TestClient, topic: string): readonly Received[] {
	return texts.flatMap((text): readonly Received[] => {
		if (text.startsWith(`${topic} `)) return [{ what: 'message', number: Number(text.slice(topic.length + 1)) }];
		if (!text.startsWith('{')) return [];
		const { type, data, position } = JSON.parse(text) as Frame;
		if (typeof data === 'string') {
			if (!data.startsWith(`${topic} `)) return [];
			return [{ what: 'message', number: Number(data.slice(topic.length + 1)), position: position as MessagePosition }];
		}
		if (type !== '@subscribed' && type !== '@unsubscribed') return [];
		const what = type === '@subscribed' ? 'subscribed' : 'unsubscribed';
		const { timestamp } = data;
		return data.topics
			.filter((each) => each.topic === topic)
			.map((each) => ({ ...each, what, ...(timestamp !== undefined && { timestamp }) }));
	});
}

/** Publishes numbered messages until it is stopped. Records when each `publish` was called, and which were rejected. */
function publishNumbers(provider: RedisWsProvider, topic: string, everyMs = 2) {
	const at: number[] = [];
	const rejected = new Set<number>();
	const timer = setInterval(() => {
		const number = at.length;
		provider.publish(topic, `${topic} ${number}`).catch(() => rejected.add(number));
		at.push(Date.now());
	}, everyMs);
	const stop = (): void => clearInterval(timer);
	onTestFinished(stop);
	return { at, rejected, stop };
}

describe('the server’s subscriptions, on two nodes', () => {
	let redis: RedisServer;
	let proxy: TcpProxy;
	/** Reaches Redis through the proxy. */
	let a: TestNode;
	let b: TestNode;
	beforeEach(async () => {
		redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
		proxy = await startTcpProxy({ port: redis.port });
		const options = { history: HISTORY, heartbeatMs: 200, graceMs: 20 };
		a = await startNode({ ...options, connection: { host: '127.0.0.1', port: proxy.port } });
		b = await startNode({ ...options, connection: { port: redis.port } });
	});
	afterEach(async () => {
		await Promise.all([a.provider.stop(), b.provider.stop()]);
		await proxy.stop();
		await redis.stop();
	});

	/** Resolves once the client receives what is published from now on. */
	async function untilReceiving(client: TestClient, topic: string, published: readonly number[]): Promise<void> {
		const from = published.length;
		const isLate = ({ number = -1 }: Received): boolean => number >= from;
		await until(() => receivedOf(client, topic).some(isLate), { what: `messages of ${topic} arrive`, ...SOON });
	}

	it.each(TOPICS)(
		'messages of %s follow the notice that the client is in it, without a hole, until it is not',
		async (topic) => {
			const { id, client } = await a.node.connect();
			const numbers = [publishNumbers(b.provider, topic), publishNumbers(a.provider, 'other')];
			for (let round = 0; round < 60; round++) {
				await a.provider.subscribe(id, topic);
				const from = (numbers[0]?.at.length ?? 0) + (round % 5);
				await until(() => receivedOf(client, topic).some(({ number = -1 }) => number >= from), { what: 'they arrive' });
				await a.provider.unsubscribe(id, topic, { code: 'removed' });
				if (round % 3 === 0) await Bun.sleep(30);
			}
			for (const { stop } of numbers) stop();
			const end = `end ${crypto.randomUUID()}`;
			await a.provider.send(id, end);
			await client.next((message) => message === end);

			const received = receivedOf(client, topic);
			const notices = received.filter(({ what }) => what !== 'message');
			expect(notices.map(({ what }) => what)).toEqual(
				Array.from({ length: 120 }, (_, n) => (n % 2 === 0 ? 'subscribed' : 'unsubscribed')),
			);
			let isIn = false;
			/** What the next message must follow: on a topic with history, also the notice. */
			let last: Received | undefined;
			for (const [index, each] of received.entries()) {
				if (each.what === 'message') {
					// Without history, messages may arrive before the backend has confirmed, and then some can be missing.
					if (!isIn) expect([index, topic]).toEqual([index, 'plain']);
					if (last?.number !== undefined) expect(each.number).toBe(last.number + 1);
					if (topic !== 'plain') expect(each.position).toMatchObject({ prev: last?.position?.offset });
				} else isIn = each.what === 'subscribed';
				if (each.what === 'unsubscribed') expect(each.code).toBe('removed');
				last = isIn && (each.what === 'message' || topic !== 'plain') ? each : undefined;
			}
		},
	);

	const faults: readonly [string, (during: () => Promise<void>) => Promise<void>][] = [
		[
			'the connections are frozen',
			async (during) => {
				// New ones work, once the heartbeats have shown that these don't.
				for (const link of proxy.links()) link.freeze();
				await during();
			},
		],
		[
			'Redis is frozen',
			async (during) => {
				redis.freeze();
				await during();
				await Bun.sleep(3_000);
				redis.thaw();
			},
		],
		[
			'Redis is restarted',
			async (during) => {
				await redis.kill();
				await during();
				await Bun.sleep(500);
				await redis.restart();
			},
		],
		[
			'Redis can’t be reached',
			async (during) => {
				proxy.refuse(true);
				proxy.cut();
				await until(() => a.provider.status === 'degraded', { what: 'the outage is noticed' });
				await during();
				await Bun.sleep(500);
				proxy.refuse(false);
			},
		],
	];
	describe.each(faults)('pending while %s', (_, inject) => {
		it.each(TOPICS)('complete, and the client is told since when it may miss messages of %s', async (topic) => {
			const { id, client } = await a.node.connect();
			const gaps: Gap[] = [];
			a.provider.onGap((gap) => void (gap.topic === topic && gaps.push(gap)));
			const numbers = publishNumbers(b.provider, topic, 5);
			await until(() => numbers.at.length > 20, { what: 'some are published' });
			let subscribed: Promise<void> = Promise.resolve();
			let calledAt = 0;
			await inject(async () => {
				calledAt = Date.now();
				subscribed = a.provider.subscribe(id, topic);
				await Bun.sleep(50);
				expect(receivedOf(client, topic).filter(({ what }) => what !== 'message')).toEqual([]);
			});
			await until(() => resolves(subscribed), { what: 'it is subscribed', ...SOON });
			await until(() => a.provider.status === 'ready', { what: 'the node works again', ...SOON });
			const last = numbers.at.length;
			await untilReceiving(client, topic, numbers.at);
			numbers.stop();

			const received = receivedOf(client, topic);
			const notice = received.find(({ what }) => what === 'subscribed');
			expect(Math.abs((notice?.since ?? 0) - calledAt)).toBeLessThan(100);
			expect(received.filter(({ what }) => what === 'unsubscribed')).toEqual([]);
			// What the other node has published since then has arrived, or is reported; with history, it has arrived
			// unless it was never stored.
			const arrived = new Set(received.map(({ number }) => number));
			const isReported = (at: number): boolean => gaps.some(({ since, until: end }) => since <= at && at <= end);
			const silent = (): number[] =>
				numbers.at.flatMap((at, number) => {
					if (at <= (notice?.timestamp ?? 0) || arrived.has(number)) return [];
					const isKnown = topic === 'plain' ? isReported(at) : numbers.rejected.has(number);
					return isKnown || number >= last ? [] : [number];
				});
			await until(() => silent().length === 0, { what: 'all that is missing is reported', ...SOON });
		});

		it.each(TOPICS)('that end meanwhile leave the client out of %s', async (topic) => {
			const { id, client } = await a.node.connect();
			const witness = await a.node.connect([topic]);
			const numbers = publishNumbers(b.provider, topic, 5);
			await inject(async () => {
				const subscribed = a.provider.subscribe(id, 'long:2');
				const again = a.provider.subscribe(id, topic);
				await Bun.sleep(20);
				await a.provider.unsubscribe(id, 'long:2');
				await a.provider.unsubscribe(id, topic);
				await Promise.all([subscribed, again]);
			});
			await until(() => a.provider.status === 'ready', { what: 'the node works again', ...SOON });
			await untilReceiving(witness.client, topic, numbers.at);
			numbers.stop();
			for (const each of [topic, 'long:2']) {
				expect(receivedOf(client, each).at(-1)).toMatchObject({ what: 'unsubscribed' });
				expect(a.provider.getTopicSubscribers(each).has(id)).toBe(false);
			}
		});
	});

	it('without the past, nothing from before is sent after Redis has lost its data, and all that follows is', async () => {
		const { id, client } = await a.node.connect();
		for (const n of [1, 2]) await b.provider.publish('long:1', `long:1 ${n}`);
		await a.provider.subscribe(id, 'long:1', { past: false });
		await b.provider.publish('long:1', 'long:1 3');
		await until(() => receivedOf(client, 'long:1').some(({ number }) => number === 3), { what: 'it arrives' });
		const start = receivedOf(client, 'long:1').find(({ what }) => what === 'subscribed')?.position as Position;
		await redis.command('FLUSHALL');
		for (const n of [4, 5]) await b.provider.publish('long:1', `long:1 ${n}`);
		await until(() => receivedOf(client, 'long:1').some(({ number }) => number === 5), { what: 'they arrive' });
		const fourth = receivedOf(client, 'long:1').find(({ number }) => number === 4)?.position as MessagePosition;

		const { provider } = a;
		expect(await provider.resume(id, 'long:1', { since: start })).toMatchObject({ recovered: false, count: 0 });
		expect(await provider.resume(id, 'long:1', { since: fourth })).toMatchObject({ recovered: true, count: 1 });
		const before = { epoch: fourth.epoch, offset: fourth.prev };
		expect(await provider.resume(id, 'long:1', { since: before })).toMatchObject({ recovered: true, count: 2 });
		expect(await provider.resume(id, 'long:1', { rewind: 100 })).toMatchObject({ count: 2 });
	});
});
