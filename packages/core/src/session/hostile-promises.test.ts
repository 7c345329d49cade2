import { connectClient, until } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type Limits, SocketRouter } from '../index.ts';
import { RecordingLogger } from '../test-support/recording-logger.ts';
import { serve } from '../test-support/serve.ts';
import { answersOf, ACCEPTED, sendTyped } from '../test-support/typed-client.ts';

type Settle = (value: unknown) => void;

const Job = SocketMessage.define({ name: 'job', data: z.any(), reply: z.any() });

/** What can't be waited for. */
const broken: readonly [string, () => Promise<never>][] = [
	['whose then can not be read', () => thenable({ get: fail })],
	['whose then throws', () => thenable({ value: fail })],
];

/** What can be waited for, though no promise would settle like that. */
const odd: readonly [string, (value: unknown) => Promise<never>][] = [
	['that calls back at once', (value) => thenable({ value: (resolve: Settle) => resolve(value) })],
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

describe.each(broken)('something %s', (_, hostile) => {
	it('that a handler returns is its failure, and messages go on in their order', async () => {
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
		expect(log.errors.map(({ message, details }) => [message, String(details?.['err'])])).toEqual([
			['A message handler failed', 'Error: hostile'],
			['A message handler failed', 'Error: hostile'],
		]);
	});

	it('that the message handler returns is its failure, and messages go on in their order', async () => {
		const log = new RecordingLogger();
		const heard: string[] = [];
		const app = new Application({ logger: log }).websocket().onWebSocket({
			message(__, message) {
				heard.push(String(message));
				return message === 'hostile' ? hostile() : undefined;
			},
		});
		const client = await connectClient((await serve(app)).ws);

		for (const message of ['a', 'hostile', 'b', 'hostile', 'c']) client.send(message);
		await until(() => heard.includes('c'), { what: () => `the last is handled, not just ${heard.join()}` });
		await log.untilErrors(2);
		expect(heard).toEqual(['a', 'hostile', 'b', 'hostile', 'c']);
		expect(log.errors.map(({ message }) => message)).toEqual([
			'The message handler failed',
			'The message handler failed',
		]);
	});

	it('that the close handler returns is its failure, and stops nobody from stopping', async () => {
		const log = new RecordingLogger();
		const app = new Application({ logger: log }).websocket().onWebSocket({ close: hostile });
		const client = await connectClient((await serve(app)).ws);

		await client.close();
		await log.untilErrors(1);
		expect(log.errors[0]).toMatchObject({
			message: 'The close handler failed',
			details: { err: new Error('hostile') },
		});
		await app.stop();
	});

	it('that authorize.subscribe returns is a refusal, and the next message is handled', async () => {
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
		expect(log.errors).toMatchObject([
			{ message: 'Subscribing or unsubscribing failed', details: { err: new Error('hostile') } },
		]);
	});
});

describe.each(odd)('something %s', (_, hostile) => {
	it('that a handler returns is answered with its value, once', async () => {
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

	it('that authorize.subscribe returns decides', async () => {
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

	it('is no trouble when many messages wait for it, one after the other', async () => {
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

/** No promise, but it has a `then`. */
function thenable(then: PropertyDescriptor): Promise<never> {
	// oxlint-disable-next-line unicorn/no-thenable -- that is what it is about
	return Object.defineProperty({}, 'then', then) as Promise<never>;
}

function fail(): never {
	throw new Error('hostile');
}

/**
 * An application that returns something hostile where it is asked to, waits a little for what is slow, and else says
 * what it was events.
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
	return { client: await connectClient((await serve(app)).ws), handled, log };
}
