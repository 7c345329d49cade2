import { connectSpeaker, RecordingLogger, until } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type AppSocket, type Limits, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { answersOf, allReceived, ACCEPTED, parse, sendTyped } from '../test-support/typed-client.ts';

const Job = SocketMessage.define({ name: 'job', data: z.number() });
const Slow = SocketMessage.define({ name: 'slow', data: z.number().refine(async () => (await turns(3), true)) });

/** Encodes the same message for a router or for the application's message handler. */
const ways: readonly [string, (number: number) => string | Uint8Array][] = [
	['a router', (number) => `{"type":"job","data":${wide(number)}}`],
	['a router with an asynchronous schema', (number) => `{"type":"slow","data":${wide(number)}}`],
	['the message handler, as text', wide],
	['the message handler, as bytes', (number) => Buffer.from(wide(number))],
];

function wide(number: number): string {
	return String(number).padStart(64);
}

describe.each(ways)('messages to %s', (_, message) => {
	it('are handled in order of arrival, one at a time, however long each takes', async () => {
		const { client, events } = await working((number) => (number % 4 === 3 ? undefined : turns(8 - number)));

		for (let number = 0; number < 8; number++) client.send(message(number));
		await until(() => events.length === 16, { what: () => `all are handled, not just ${events.join()}` });
		expect(events).toEqual([0, 1, 2, 3, 4, 5, 6, 7].flatMap((number) => [`begin ${number}`, `end ${number}`]));
	});

	it('continue after one that throws or rejects', async () => {
		const { client, events } = await working((number) => {
			if (number === 0) throw new Error('no');
			return number === 1 ? turns(2).then(() => Promise.reject(new Error('no'))) : undefined;
		});

		for (let number = 0; number < 3; number++) client.send(message(number));
		await until(() => events.includes('end 2'), { what: 'the last is handled' });
		expect(events).toEqual(['begin 0', 'begin 1', 'begin 2', 'end 2']);
	});

	it('do not delay those of other sockets', async () => {
		const gate = Promise.withResolvers<void>();
		const { client, connect, events } = await working((number) => (number === 0 ? gate.promise : undefined));
		const other = await connect();

		client.send(message(0));
		client.send(message(1));
		await allReceived(client);
		other.send(message(2));
		await until(() => events.includes('end 2'), { what: 'the message of the other is handled' });
		expect(events).toEqual(['begin 0', 'begin 2', 'end 2']);
		gate.resolve();
	});

	it('are not read while too many are queued, and none is lost', async () => {
		const gate = Promise.withResolvers<void>();
		const { client, events, sockets } = await working(() => gate.promise, { queuedMessages: 4 });
		// More than one socket read returns, so some of the messages wait in the network buffers.
		const count = 4_000;

		for (let number = 0; number < count; number++) client.send(message(number));
		await until(() => sockets[0]?.isPaused === true, { what: 'reading is paused' });
		await until(() => events.length > 0, { what: 'the first has started, after validation' });
		expect(events).toEqual(['begin 0']);

		gate.resolve();
		await until(() => events.length === 2 * count, {
			what: () => `all are handled, not just ${events.length / 2}`,
			timeoutMs: 10_000,
		});
		expect(events.filter((what) => what.startsWith('begin'))).toEqual(
			Array.from({ length: count }, (__, number) => `begin ${number}`),
		);
		expect(sockets[0]?.isPaused).toBe(false);
	});

	it.each(['at once', 'later'])('are dropped once the application closes the socket, %s', async (when) => {
		const { client, events, sockets } = await working((number) => {
			if (number === 1 && when === 'at once') sockets[0]?.close(4000, 'enough');
			return number === 1 && when === 'later' ? turns(3).then(() => sockets[0]?.close(4000, 'enough')) : undefined;
		});

		for (let number = 0; number < 4; number++) client.send(message(number));
		expect(await client.closed).toEqual({ code: 4000, reason: 'enough' });
		await turns(3);
		expect(events).toEqual(['begin 0', 'end 0', 'begin 1', 'end 1']);
	});

	it('do not delay a ping', async () => {
		const gate = Promise.withResolvers<void>();
		const { client, events } = await working(() => gate.promise);

		client.send(message(0));
		client.send(message(1));
		sendTyped(client, '@ping', 'ignored', 'a');
		expect(parse(await client.next())).toEqual({ type: '@ping', correlationId: 'a', data: ACCEPTED });
		expect(events.filter((what) => what !== 'begin 0')).toEqual([]);
		gate.resolve();
		await until(() => events.includes('end 1'), { what: 'the messages are handled' });
	});
});

it('typed, raw and built-in messages are handled in one order', async () => {
	const gate = Promise.withResolvers<void>();
	const { client, events } = await working((number) => (number === 0 ? gate.promise : undefined));

	for (const [number, [, message]] of ways.entries()) client.send(message(number));
	sendTyped(client, 'nothing', null, 'a');
	sendTyped(client, '@auth', null, 'b');
	await allReceived(client);
	expect([events, answersOf(client)]).toEqual([['begin 0'], []]);

	gate.resolve();
	await client.next((message) => parse(message)['correlationId'] === 'b');
	expect(events).toEqual([0, 1, 2, 3].flatMap((number) => [`begin ${number}`, `end ${number}`]));
	expect(answersOf(client).map(([id]) => id)).toEqual(['a', 'b']);
});

/** An application that handles numbers in both typed and raw messages. */
async function working(work: (number: number) => Promise<void> | undefined, limits: Limits = {}) {
	const events: string[] = [];
	const sockets: AppSocket[] = [];
	const handle = (number: number): Promise<void> | undefined => {
		events.push(`begin ${number}`);
		const done = work(number);
		if (done !== undefined) return done.then(() => void events.push(`end ${number}`));
		events.push(`end ${number}`);
		return undefined;
	};
	const router = new SocketRouter().on(Job, ({ data }) => handle(data)).on(Slow, ({ data }) => handle(data));
	const app = new Application({ logger: new RecordingLogger() })
		.websocket({ limits: { messagesPerSecond: Infinity, ...limits } })
		.socketRouter(router)
		.onWebSocket({
			open: (ws) => void sockets.push(ws),
			message: (_, message) => handle(Number(String(message))),
		});
	const { ws: url } = await serve(app);
	const connect = () => connectSpeaker(url);
	return { client: await connect(), connect, events, sockets };
}

async function turns(count: number): Promise<void> {
	for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
