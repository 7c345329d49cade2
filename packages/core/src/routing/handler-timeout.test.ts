import { connectSpeaker, RecordingLogger, type TestClient, until } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { Application, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { answersOf, allReceived, parse, sendTyped } from '../test-support/typed-client.ts';

/** The step that takes too long, and whether the handler has started by then. */
const places: readonly [string, boolean][] = [
	['schema', false],
	['guard', false],
	['handler', true],
	['reply', true],
];

describe.each(places)('a message whose %s takes too long', (place, isStarted) => {
	it('is answered with timeout, and the next one is handled', async () => {
		const { app, client, handled, log } = await waiting();

		sendTyped(client, place, 0, 'a');
		sendTyped(client, 'echo', 7, 'b');
		expect((await client.received(2)).map(parse)).toEqual([
			{ type: place, correlationId: 'a', error: { code: 'timeout', message: 'The server did not finish in time' } },
			{ type: 'echo', correlationId: 'b', data: '7' },
		]);
		expect(handled).toEqual(isStarted ? [0, 7] : [7]);
		expect([app.refusals.handlerTimeout, log.errors]).toEqual([1, []]);
	});

	it.each(['succeeds', 'fails'])('is neither answered again nor handled when that step %s later', async (how) => {
		const { client, handled, gates } = await waiting();
		sendTyped(client, place, 0, 'a');
		await client.next();

		if (how === 'succeeds') gates[0]?.resolve();
		else gates[0]?.reject(new Error('too late anyway'));
		await turns(5);
		sendTyped(client, 'echo', 7, 'b');
		await client.received(2);
		expect(answersOf(client)).toEqual([
			['a', 'timeout'],
			['b', '7'],
		]);
		expect(handled).toEqual(isStarted ? [0, 7] : [7]);
	});

	it('does not end the wait for the next message when it finishes late', async () => {
		const { client, gates } = await waiting();
		sendTyped(client, place, 0, 'a');
		sendTyped(client, place, 1, 'b');
		sendTyped(client, 'echo', 7, 'c');
		await client.next();

		gates[0]?.resolve();
		await turns(5);
		await allReceived(client);
		expect(answersOf(client)).toEqual([['a', 'timeout']]);
		gates[1]?.resolve();
		await client.next((message) => parse(message)['correlationId'] === 'c');
		expect(answersOf(client).slice(1)).toEqual([
			['b', '1'],
			['c', '7'],
		]);
	});

	it('does not prevent the timeout of the next message', async () => {
		const { client, gates } = await waiting();
		sendTyped(client, place, 0, 'a');
		sendTyped(client, place, 1, 'b');
		await client.next();

		gates[0]?.resolve();
		await client.next((message) => parse(message)['correlationId'] === 'b');
		expect(answersOf(client)).toEqual([
			['a', 'timeout'],
			['b', 'timeout'],
		]);
	});
});

it('a message without a correlation id is refused with timeout as well', async () => {
	const { client } = await waiting();

	sendTyped(client, 'handler', 0);
	expect(parse(await client.next())).toMatchObject({ type: 'handler', error: { code: 'timeout' } });
});

it('a raw message that times out is counted, and the next one is handled', async () => {
	const { app, client, handled } = await waiting();

	client.send('0');
	client.send('7');
	await until(() => handled.includes(7), { what: 'the next is handled' });
	expect([handled, app.refusals.handlerTimeout]).toEqual([[0, 7], 1]);
});

it('each message has the full time, however long earlier ones took', async () => {
	const { client, gates } = await waiting();

	for (const number of [0, 1, 2, 3]) sendTyped(client, 'handler', number, String(number));
	for (const gate of gates) {
		// More than half of the timeout, so that both messages together exceed it.
		await Bun.sleep(120);
		gate.resolve();
	}
	await client.received(4);
	expect(answersOf(client)).toEqual(['0', '1', '2', '3'].map((number) => [number, number]));
});

interface Waiting {
	readonly app: Application;
	readonly client: TestClient;
	readonly log: RecordingLogger;
	/** The numbers with which handlers were called. */
	readonly handled: number[];
	/** For each number, the promise that its message waits for. */
	readonly gates: readonly PromiseWithResolvers<void>[];
}

/** Starts an application with one message for each step that can wait, and one message that never waits. */
async function waiting(): Promise<Waiting> {
	const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
	const wait = async (number: unknown): Promise<true> => {
		await gates[Number(number)]?.promise;
		return true;
	};
	const text = v.string();
	const number = v.number();
	const handled: number[] = [];
	const echo = ({ data }: { data: number }): string => {
		handled.push(data);
		return String(data);
	};
	const router = new SocketRouter()
		.on(
			SocketMessage.define({
				name: 'schema',
				data: v.pipeAsync(
					number,
					v.checkAsync((data: number) => wait(data)),
				),
				reply: text,
			}),
			echo,
		)
		.on(SocketMessage.define({ name: 'guard', data: number, reply: text }), echo, {
			guards: [({ data }) => wait(data)],
		})
		.on(SocketMessage.define({ name: 'handler', data: number, reply: text }), async (ctx) => {
			const answer = echo(ctx);
			await wait(ctx.data);
			return answer;
		})
		.on(
			SocketMessage.define({
				name: 'reply',
				data: number,
				reply: v.pipeAsync(
					text,
					v.checkAsync((reply: string) => wait(reply)),
				),
			}),
			echo,
		)
		.on(SocketMessage.define({ name: 'echo', data: number, reply: text }), echo);
	const log = new RecordingLogger();
	const app = new Application({ logger: log })
		.websocket({ limits: { handlerTimeoutMs: 200 } })
		.socketRouter(router)
		.onWebSocket({
			async message(_, message) {
				echo({ data: Number(message) });
				await wait(message);
			},
		});
	const { ws } = await serve(app);
	return { app, client: await connectSpeaker(ws), log, handled, gates };
}

async function turns(count: number): Promise<void> {
	for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
