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
	const heard: (readonly [string, Buffer])[] = [];

	beforeAll(async () => {
		redis = await startRedis();
		subscriber = new Redis({ port: redis.port });
		await subscriber.subscribe('heard');
		subscriber.on('messageBuffer', (channel: Buffer, frame: Buffer) => heard.push([channel.toString(), frame]));
	});
	afterAll(async () => {
		subscriber.disconnect();
		client.disconnect();
		await redis.stop();
	});
	beforeEach(async () => {
		client?.disconnect();
		heard.length = 0;
		client = new Redis({ port: redis.port, lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 0 });
		client.on('error', () => {});
		await client.connect();
		command = new PublishCommand(client, 'publish');
	});

	it('gives each message the answer that is its own, over many turns and more than are kept', async () => {
		const answers: Promise<number>[] = [];
		for (let turn = 0; turn < 30; turn++) {
			for (let i = 0; i < 100; i++) answers.push(command.publish(i % 3 === 0 ? 'heard' : 'unheard', FRAME));
			await new Promise(setImmediate);
		}

		expect(await Promise.all(answers)).toEqual(answers.map((_, i) => ((i % 100) % 3 === 0 ? 1 : 0)));
		await until(() => heard.length === 30 * 34, { what: () => `1,020 messages came, not ${heard.length}` });
		for (const [channel, frame] of heard) expect([channel, ...frame]).toEqual(['heard', ...FRAME]);
	});

	it('stands between other commands of the same connection without mixing up their answers', async () => {
		const first = command.publish('heard', FRAME);
		const echo = client.echo('in between');
		const second = command.publish('unheard', FRAME);

		expect(await Promise.all([first, echo, second])).toEqual([1, 'in between', 0]);
	});

	it('rejects what the server refuses, and only that', async () => {
		await redis.command('ACL', 'SETUSER', 'limited', 'on', '>secret', '+@all', '&heard');
		const limited = new Redis({ port: redis.port, username: 'limited', password: 'secret' });
		await new Promise((resolve) => limited.once('ready', resolve));
		const byLimited = new PublishCommand(limited, 'publish');
		const channels = ['heard', 'forbidden', 'heard'];
		const answers = await Promise.allSettled(channels.map((channel) => byLimited.publish(channel, FRAME)));
		limited.disconnect();

		expect(answers).toMatchObject([
			{ value: 1 },
			{ reason: { name: 'ReplyError', message: expect.stringContaining('NOPERM') } },
			{ value: 1 },
		]);
	});

	it('rejects at once what cannot be written', async () => {
		client.disconnect();
		const unwritten = new Uint8Array([1]);
		const answers = await Promise.allSettled([
			command.publish('heard', unwritten),
			command.publish('heard', unwritten),
		]);

		expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
		await redis.command('PUBLISH', 'heard', 'afterwards');
		await until(() => heard.some(([, frame]) => frame.toString() === 'afterwards'), { what: 'the next message came' });
		expect(heard.map(([, frame]) => frame.length)).not.toContain(1);
	});

	it('rejects what a closing connection can no longer take, and not what it has taken', async () => {
		redis.freeze();
		const settled: string[] = [];
		const note = (name: string) =>
			[() => settled.push(`${name} accepted`), () => settled.push(`${name} rejected`)] as const;
		const taken = command.publish('heard', FRAME).then(...note('taken'));
		await new Promise(setImmediate);
		client.stream.end();
		const late = command.publish('heard', FRAME).then(...note('late'));
		await late;
		expect(settled).toEqual(['late rejected']);

		redis.thaw();
		await taken;
		expect(settled).toHaveLength(2);
	});

	it('lets nobody put something else in the place of its answers, as tools that watch commands do', async () => {
		const { resolve } = command;
		let watched = 0;
		command.resolve = (reply: unknown) => {
			watched++;
			resolve(reply);
		};

		expect(await Promise.all([command.publish('heard', FRAME), command.publish('unheard', FRAME)])).toEqual([1, 0]);
		expect(watched).toBe(0);
	});

	it('rejects each message that has no answer when the connection is lost, and none that comes after', async () => {
		redis.freeze();
		const lost = Promise.allSettled(Array.from({ length: 50 }, () => command.publish('heard', FRAME)));
		await new Promise(setImmediate);
		client.stream.destroy();
		expect(new Set((await lost).map(({ status }) => status))).toEqual(new Set(['rejected']));

		redis.thaw();
		await new Promise((resolve) => client.once('ready', resolve));
		expect(await Promise.all([command.publish('heard', FRAME), command.publish('unheard', FRAME)])).toEqual([1, 0]);
	});
});
