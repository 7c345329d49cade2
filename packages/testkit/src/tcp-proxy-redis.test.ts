import { RedisClient } from 'bun';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { hasSent } from './link-filter.ts';
import { startRedis } from './redis-server.ts';
import type { RedisServer } from './redis-server.ts';
import { startTcpProxy } from './tcp-proxy.ts';
import type { TcpProxy } from './tcp-proxy.ts';
import { until } from './until.ts';

const isSubscriber = hasSent('SUBSCRIBE', 'SSUBSCRIBE');
const isPublisher = hasSent('PUBLISH', 'SPUBLISH');

let redis: RedisServer;
let proxy: TcpProxy;
let publisher: RedisClient;
let subscriber: RedisClient;
let received: string[];

beforeAll(async () => {
	redis = await startRedis();
});

/** Connects a subscriber and a publisher, each with its own link. */
beforeEach(async () => {
	proxy = await startTcpProxy({ port: redis.port });
	const url = `redis://${proxy.host}:${proxy.port}`;
	publisher = new RedisClient(url);
	subscriber = new RedisClient(url);
	received = [];
	await subscriber.subscribe('chat', (message) => void received.push(message));
	await publisher.publish('chat', 'first');
	await until(() => received.length === 1, { what: 'the subscriber receives a message' });
});

afterEach(async () => {
	for (const client of [publisher, subscriber]) client.close();
	await proxy.stop();
});

afterAll(() => redis.stop());

test('hasSent distinguishes links of subscribers and publishers', () => {
	expect(proxy.links().map((link) => [isSubscriber(link), isPublisher(link)])).toEqual([
		[true, false],
		[false, true],
	]);
});

test('cutting the subscriber disconnects it from Redis, but not the publisher', async () => {
	expect(proxy.cut(isSubscriber)).toBe(1);
	await until(async () => !String(await redis.command('CLIENT', 'LIST')).includes('cmd=subscribe'), {
		what: 'Redis has dropped the subscriber',
	});

	expect(await publisher.publish('other', 'still')).toBe(0);
});

test('a subscriber loses messages silently if its link is frozen and the held bytes are dropped', async () => {
	expect(proxy.freeze(isSubscriber, { direction: 'toClient' })).toBe(1);
	const [subscriberLink] = proxy.links().filter(isSubscriber);
	expect(await publisher.publish('chat', 'lost')).toBe(1);
	await until(() => (subscriberLink?.held ?? 0) > 0, { what: 'the message is held' });
	proxy.thaw(isSubscriber, { held: 'drop' });
	await publisher.publish('chat', 'later');

	await until(() => received.length === 2, { what: 'the next message is received' });
	expect(received).toEqual(['first', 'later']);
	expect(proxy.accepted).toBe(2);
});

test('Redis disconnects a subscriber on a slow network when its output buffer is full', async () => {
	await redis.command('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 1mb 1mb 1');
	proxy.throttle(1000);
	const [subscriberLink] = proxy.links().filter(isSubscriber);
	const message = 'x'.repeat(100_000);
	for (let count = 0; count < 200; count++) await publisher.publish('chat', message);

	await until(async () => redis.log().includes('closed ASAP for overcoming of output buffer limits'), {
		what: 'Redis closes the connection',
	});
	expect(subscriberLink?.held).toBeLessThan(1_000_000);
});
