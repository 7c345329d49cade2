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
let heard: string[];

beforeAll(async () => {
	redis = await startRedis();
});

/** A subscriber and a publisher, each with a link of its own. */
beforeEach(async () => {
	proxy = await startTcpProxy({ port: redis.port });
	const url = `redis://${proxy.host}:${proxy.port}`;
	publisher = new RedisClient(url);
	subscriber = new RedisClient(url);
	heard = [];
	await subscriber.subscribe('chat', (message) => void heard.push(message));
	await publisher.publish('chat', 'first');
	await until(() => heard.length === 1, { what: 'the subscriber hears' });
});

afterEach(async () => {
	for (const client of [publisher, subscriber]) client.close();
	await proxy.stop();
});

afterAll(() => redis.stop());

test('links tell what they are for', () => {
	expect(proxy.links().map((link) => [isSubscriber(link), isPublisher(link)])).toEqual([
		[true, false],
		[false, true],
	]);
});

test('a cut subscriber is gone from Redis, and the publisher is not', async () => {
	expect(proxy.cut(isSubscriber)).toBe(1);
	await until(async () => !String(await redis.command('CLIENT', 'LIST')).includes('cmd=subscribe'), {
		what: 'Redis has noticed',
	});

	expect(await publisher.publish('other', 'still')).toBe(0);
});

test('a subscriber loses messages without a sign: frozen towards it, and what was held dropped', async () => {
	expect(proxy.freeze(isSubscriber, { direction: 'toClient' })).toBe(1);
	const [subscriberLink] = proxy.links().filter(isSubscriber);
	expect(await publisher.publish('chat', 'lost')).toBe(1);
	await until(() => (subscriberLink?.held ?? 0) > 0, { what: 'the message is held' });
	proxy.thaw(isSubscriber, { held: 'drop' });
	await publisher.publish('chat', 'heard');

	await until(() => heard.length === 2, { what: 'the next one is heard' });
	expect(heard).toEqual(['first', 'heard']);
	expect(proxy.accepted).toBe(2);
});

test('a subscriber behind a slow line is thrown out by Redis when its buffer is full', async () => {
	await redis.command('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 1mb 1mb 1');
	proxy.throttle(1000);
	const [subscriberLink] = proxy.links().filter(isSubscriber);
	const message = 'x'.repeat(100_000);
	for (let count = 0; count < 200; count++) await publisher.publish('chat', message);

	await until(async () => redis.log().includes('closed ASAP for overcoming of output buffer limits'), {
		what: 'Redis gives it up',
	});
	expect(subscriberLink?.held).toBeLessThan(1_000_000);
});
