import { connectSpeaker, RecordingLogger, until } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type Limits, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { answersOf, ACCEPTED, sendTyped } from '../test-support/typed-client.ts';

type Settle = (value: unknown) => void;

const Job = SocketMessage.define({ name: 'job', data: z.any(), reply: z.any() });

/** Values that can't be awaited. */
const broken: readonly [string, () => Promise<never>][] = [
	['whose then cannot be read', () => thenable({ get: fail })],
	['whose then throws', () => thenable({ value: fail })],
];

/** Thenables that settle in ways in which no promise settles. */
const odd: readonly [string, (value: unknown) => Promise<never>][] = [
	['that calls back synchronously', (value) => thenable({ value: (resolve: Settle) => resolve(value) })],
	[
		'that calls back twice',
		(value) =>
			thenable({
				value(resolve: Settle, reject: Settle) {
					resolve(value);
					resolve('again');
					reject(new Error('hostile'));
				},
			}),
	],
	[
		'that calls back and throws',
		(value) =>
			thenable({
				value(resolve: Settle) {
					resolve(value);
					fail();
				},
			}),
	],
];

describe.each(broken)('a thenable %s', (_, hostile) => {
	it('returned by a typed handler is its failure, and the following messages are handled in order', async () => {
		const { client, handled, log } = await working(hostile);

		for (const [id, what] of ['slow', 'hostile', 'a', 'slow', 'hostile', 'b'].entries())
			sendTyped(client, 'job', what, `${id}`);
		await client.received(6);
		expect(answersOf(client)).toEqual([
			['0', 'slow'],
			['1', 'internal'],
			['2', 'a'],
			['3', 'slow'],
			['4', 'internal'],
			['5', 'b'],
		]);
		expect(handled).toEqual(['slow', 'hostile', 'a', 'slow', 'hostile', 'b']);
		expect(log.errors).toMatchObject([{ message: 'A message handler failed', details: { err: new Error('hostile') } }]);
	});

	it('returned by the message handler is its failure, and the following messages are handled in order', async () => {
		const log = new RecordingLogger();
		const received: string[] = [];
		const app = new Application({ logger: log }).websocket().onWebSocket({
			message(__, message) {
				received.push(String(message));
				return message === 'hostile' ? hostile() : undefined;
			},
		});
		const client = await connectSpeaker((await serve(app)).ws);

		for (const message of ['a', 'hostile', 'b', 'hostile', 'c']) client.send(message);
		await until(() => received.includes('c'), { what: () => `the last is handled, not just ${received.join()}` });
		await log.untilErrors(2);
		expect(received).toEqual(['a', 'hostile', 'b', 'hostile', 'c']);
		expect(log.errors.map(({ message }) => message)).toEqual([
			'The message handler failed',
			'The message handler failed',
		]);
	});

	it('returned by the close handler is its failure, and does not delay stopping', async () => {
		const log = new RecordingLogger();
		const app = new Application({ logger: log }).websocket().onWebSocket({ close: hostile });
		const client = await connectSpeaker((await serve(app)).ws);

		await client.close();
		await log.untilErrors(1);
		expect(log.errors[0]).toMatchObject({
			message: 'The close handler failed',
			details: { err: new Error('hostile') },
		});
		await app.stop();
	});

	it('returned by authorize.subscribe is a refusal, and the next message is handled', async () => {
		const { client, log } = await working(hostile);

		sendTyped(client, '@subscribe', { topic: 'hostile' }, 'a');
		sendTyped(client, '@subscribe', { topic: 'fine' }, 'b');
		sendTyped(client, 'job', 'next', 'c');
		await client.received(3);
		expect(new Map(answersOf(client))).toEqual(
			new Map<unknown, unknown>([
				['a', 'internal'],
				['b', ACCEPTED],
				['c', 'next'],
			]),
		);
		expect(log.errors).toMatchObject([{ message: 'Subscribing failed', details: { err: new Error('hostile') } }]);
	});
});

describe.each(odd)('a thenable %s', (_, hostile) => {
	it('returned by a handler is answered with its value, once', async () => {
		const { client, log } = await working(() => hostile('value'));

		for (const [id, what] of ['slow', 'hostile', 'a', 'hostile', 'b'].entries())
			sendTyped(client, 'job', what, `${id}`);
		await client.next((message) => String(message).includes('"4"'));
		expect(answersOf(client)).toEqual([
			['0', 'slow'],
			['1', 'value'],
			['2', 'a'],
			['3', 'value'],
			['4', 'b'],
		]);
		expect(log.errors).toEqual([]);
	});

	it('returned by authorize.subscribe decides', async () => {
		const { client } = await working(() => hostile(true));

		sendTyped(client, '@subscribe', { topic: 'hostile' }, 'a');
		sendTyped(client, 'job', 'next', 'b');
		await client.received(2);
		expect(new Map(answersOf(client))).toEqual(
			new Map<unknown, unknown>([
				['a', ACCEPTED],
				['b', 'next'],
			]),
		);
	});

	it('returned 20,000 times in a row answers every message', async () => {
		const count = 20_000;
		const { client, handled } = await working(() => hostile('value'), { queuedMessages: Infinity });

		sendTyped(client, 'job', 'slow', 'first');
		for (let i = 0; i < count; i++) sendTyped(client, 'job', 'hostile', `${i}`);
		await until(() => client.texts.length > count, {
			what: () => `all are answered, not just ${client.texts.length}`,
			timeoutMs: 15_000,
		});
		expect(handled).toHaveLength(count + 1);
		expect(answersOf(client)).toEqual([
			['first', 'slow'],
			...Array.from({ length: count }, (__, i) => [`${i}`, 'value']),
		]);
	});
});

/** Creates an object that is not a promise but has a `then`. */
function thenable(then: PropertyDescriptor): Promise<never> {
	// oxlint-disable-next-line unicorn/no-thenable -- the subject of this test
	return Object.defineProperty({}, 'then', then) as Promise<never>;
}

function fail(): never {
	throw new Error('hostile');
}

/**
 * Starts an application that returns a hostile thenable for `hostile`, answers `slow` after a while, and answers
 * everything else immediately.
 */
async function working(hostile: () => Promise<never>, limits: Limits = {}) {
	const log = new RecordingLogger();
	const handled: unknown[] = [];
	const router = new SocketRouter().on(Job, ({ data }) => {
		handled.push(data);
		if (data === 'hostile') return hostile();
		return data === 'slow' ? Bun.sleep(20).then(() => data) : data;
	});
	const app = new Application({ logger: log })
		.websocket({
			authorize: { subscribe: (_, topic) => (topic === 'hostile' ? hostile() : true) },
			limits: { messagesPerSecond: Infinity, bytesPerSecond: Infinity, ...limits },
		})
		.socketRouter(router);
	return { client: await connectSpeaker((await serve(app)).ws), handled, log };
}
