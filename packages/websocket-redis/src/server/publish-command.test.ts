import { startRedis, type RedisServer, until } from '@orijs/testkit';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PublishCommand } from './publish-command.ts';

const FRAME = new Uint8Array([0, 13, 10, 255]);

describe('publishing on one connection', () => {
	let redis: RedisServer;
	let subscriber: Redis;
	let client: Redis;
	let command: PublishCommand;
	const received: (readonly [string, Buffer])[] = [];

	beforeAll(async () => {
		redis = await startRedis();
		subscriber = new Redis({ port: redis.port });
		await subscriber.subscribe('subscribed');
		subscriber.on('messageBuffer', (channel: Buffer, frame: Buffer) => received.push([channel.toString(), frame]));
	});
	afterAll(async () => {
		subscriber.disconnect();
		client.disconnect();
		await redis.stop();
	});
	beforeEach(async () => {
		client?.disconnect();
		received.length = 0;
		client = new Redis({ port: redis.port, lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 0 });
		client.on('error', () => {});
		await client.connect();
		command = new PublishCommand(client, 'publish');
	});

	it('settles each message with its own reply, over many turns and beyond the limit of settled replies', async () => {
		const replies: Promise<number>[] = [];
		for (let turn = 0; turn < 30; turn++) {
			for (let i = 0; i < 100; i++) replies.push(command.publish(i % 3 === 0 ? 'subscribed' : 'unsubscribed', FRAME));
			await new Promise(setImmediate);
		}

		expect(await Promise.all(replies)).toEqual(replies.map((_, i) => ((i % 100) % 3 === 0 ? 1 : 0)));
		await until(() => received.length === 30 * 34, { what: () => `1,020 messages arrive, not ${received.length}` });
		for (const [channel, frame] of received) expect([channel, ...frame]).toEqual(['subscribed', ...FRAME]);
	});

	it('keeps replies apart from those of other commands on the same connection', async () => {
		const first = command.publish('subscribed', FRAME);
		const echo = client.echo('in between');
		const second = command.publish('unsubscribed', FRAME);

		expect(await Promise.all([first, echo, second])).toEqual([1, 'in between', 0]);
	});

	it('rejects only the messages that the server refuses', async () => {
		await redis.command('ACL', 'SETUSER', 'limited', 'on', '>secret', '+@all', '&subscribed');
		const limited = new Redis({ port: redis.port, username: 'limited', password: 'secret' });
		await new Promise((resolve) => limited.once('ready', resolve));
		const limitedCommand = new PublishCommand(limited, 'publish');
		const channels = ['subscribed', 'forbidden', 'subscribed'];
		const replies = await Promise.allSettled(channels.map((channel) => limitedCommand.publish(channel, FRAME)));
		limited.disconnect();

		expect(replies).toMatchObject([
			{ value: 1 },
			{ reason: { name: 'ReplyError', message: expect.stringContaining('NOPERM') } },
			{ value: 1 },
		]);
	});

	it('rejects at once when the connection is closed, and sends nothing later', async () => {
		client.disconnect();
		const unwritten = new Uint8Array([1]);
		const replies = await Promise.allSettled([
			command.publish('subscribed', unwritten),
			command.publish('subscribed', unwritten),
		]);

		expect(replies.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
		await redis.command('PUBLISH', 'subscribed', 'afterwards');
		await until(() => received.some(([, frame]) => frame.toString() === 'afterwards'), {
			what: 'the next message arrives',
		});
		expect(received.map(([, frame]) => frame.length)).not.toContain(1);
	});

	it('rejects messages after the end of the stream, but not those already written', async () => {
		redis.freeze();
		const settled: string[] = [];
		const note = (name: string) =>
			[() => settled.push(`${name} accepted`), () => settled.push(`${name} rejected`)] as const;
		const written = command.publish('subscribed', FRAME).then(...note('written'));
		await new Promise(setImmediate);
		client.stream.end();
		const late = command.publish('subscribed', FRAME).then(...note('late'));
		await late;
		expect(settled).toEqual(['late rejected']);

		redis.thaw();
		await written;
		expect(settled).toHaveLength(2);
	});

	it('ignores attempts to replace its resolve and reject, as instrumentation does', async () => {
		const { resolve } = command;
		let wrapped = 0;
		command.resolve = (reply: unknown) => {
			wrapped++;
			resolve(reply);
		};

		expect(await Promise.all([command.publish('subscribed', FRAME), command.publish('unsubscribed', FRAME)])).toEqual([
			1, 0,
		]);
		expect(wrapped).toBe(0);
	});

	it('rejects every message without a reply when the connection is lost, and no later one', async () => {
		redis.freeze();
		const lost = Promise.allSettled(Array.from({ length: 50 }, () => command.publish('subscribed', FRAME)));
		await new Promise(setImmediate);
		client.stream.destroy();
		expect(new Set((await lost).map(({ status }) => status))).toEqual(new Set(['rejected']));

		redis.thaw();
		await new Promise((resolve) => client.once('ready', resolve));
		expect(await Promise.all([command.publish('subscribed', FRAME), command.publish('unsubscribed', FRAME)])).toEqual([
			1, 0,
		]);
	});
});
