import { strict as assert } from 'node:assert';
import {
	ClientClosedError,
	type GapNotice,
	type Recovered,
	type SocketClient,
	type Subscription,
	type SubscriptionOptions,
} from '../../index.ts';
import { assertRefused, eventually, isSettled, rejection } from '../assertions.ts';
import { Numbered } from '../messages.ts';
import { failuresOf, newClient, readyClient } from '../run-scenario.ts';
import type { Scenario, TestServer } from '../test-server.ts';

/** A topic whose history keeps 5,000 messages. */
const LONG = 'long:t';
/** A topic whose history keeps five messages. */
const SHORT = 'short:t';

/** What a subscription receives, in order: numbers of messages, and the other calls by name. */
type Heard = (number | 'gap' | 'recovered' | 'lost' | 'refused')[];

function listener(): { readonly heard: Heard; readonly options: SubscriptionOptions } {
	const heard: Heard = [];
	const options = {
		onMessage: (data: unknown) => heard.push((data as { n: number }).n),
		onRecovered: ({ recovered }: Recovered) => heard.push(recovered ? 'recovered' : 'lost'),
		onGap: (_: GapNotice) => heard.push('gap'),
		onRefused: () => heard.push('refused'),
	};
	return { heard, options };
}

/** Subscribes without waiting. */
function hear(client: SocketClient, topic: string, rewind?: number): [Heard, Promise<Subscription>] {
	const { heard, options } = listener();
	return [heard, client.subscribe(topic, { ...options, rewind })];
}

function upTo(last: number, from = 1): number[] {
	return Array.from({ length: last - from + 1 }, (_, i) => from + i);
}

async function cutOff(server: TestServer): Promise<void> {
	await server.network('refuse');
	await server.network('cut');
}

interface RawTopic {
	/** Resolves with a frame that the server has received. */
	sent(index: number): Promise<{ readonly type: string; readonly data: unknown; readonly correlationId: string }>;
	/** Answers that frame. */
	answer(index: number, data: object): Promise<void>;
	/** Sends a position of the topic `t`. */
	position(data: object): Promise<void>;
	/** Sends a message of the topic `t`. */
	message(n: number, offset: number): Promise<void>;
}

/** Plays the part of a server that has the topic `t`. */
function rawTopic(server: TestServer): RawTopic {
	const sent: RawTopic['sent'] = async (index) => {
		await eventually(async () => (await server.received()).length > index, `frame ${index} has arrived`);
		return JSON.parse((await server.received())[index]?.text ?? '');
	};
	const send = (frame: object): Promise<void> => server.sendRaw(JSON.stringify(frame));
	return {
		sent,
		async answer(index, data) {
			const { type, correlationId } = await sent(index);
			await send({ type, correlationId, data: { timestamp: 1_000_000, ...data } });
		},
		position: (data) => send({ type: '@position', data: { topics: ['t'], epoch: 'e', count: 0, ...data } }),
		message(n, offset) {
			const position = { epoch: 'e', offset, prev: offset - 1 };
			return send({ name: 'numbered', data: { n }, timestamp: 1, topic: 't', position });
		},
	};
}

async function ends(heard: Heard, n: number): Promise<void> {
	await eventually(() => heard.at(-1) === n, `message ${n} arrives`).catch((error: Error) => {
		throw new Error(`${error.message}; heard: ${heard.join()}`);
	});
}

export const rewinding: Record<string, Scenario> = {
	'a later subscription receives its last messages first, and the others receive none of them': async (server) => {
		await server.serve();
		await server.emitAll(LONG, [1, 2, 3]);
		const client = await readyClient(server);
		const all: number[] = [];
		client.on(Numbered, ({ n }) => all.push(n));
		const [first, subscribed] = hear(client, LONG, 2);
		await subscribed;
		const [second, later] = hear(client, LONG, 10);
		const [third, last] = hear(client, LONG, 1);
		await later;
		assert.deepEqual(second, [1, 2, 3]);
		await last;
		await server.emit(LONG, 4);
		for (const heard of [first, second, third]) await ends(heard, 4);
		assert.deepEqual(
			[first, second, third, all],
			[
				[2, 3, 4],
				[1, 2, 3, 4],
				[3, 4],
				[2, 3, 4],
			],
		);
	},

	'subscriptions that are added under load receive every message once and in order': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const [first, subscribed] = hear(client, LONG);
		await subscribed;
		await server.publishSteadily(LONG);
		const heard: Heard[] = [];
		for (const count of [20, 60, 100]) {
			await eventually(() => first.length > count, 'messages arrive');
			const [another, later] = hear(client, LONG, 4_000);
			heard.push(another);
			await later;
		}
		const published = (await server.stopPublishing()).map(({ n }) => n);
		await ends(first, published.at(-1) ?? -1);
		for (const each of [first, ...heard]) assert.deepEqual(each, published);
	},

	'subscriptions that are added together receive what each of them asked for': async (server) => {
		await server.serve();
		await server.emitAll(LONG, [1, 2, 3, 4, 5]);
		const client = newClient(server);
		const all = [undefined, 2, 4, undefined, 100].map((rewind) => hear(client, LONG, rewind));
		await client.connect();
		await Promise.all(all.map(([, subscribed]) => subscribed));
		await server.emit(LONG, 6);
		for (const [heard] of all) await ends(heard, 6);
		assert.deepEqual(
			all.map(([heard]) => heard),
			[[6], [4, 5, 6], [2, 3, 4, 5, 6], [6], [1, 2, 3, 4, 5, 6]],
		);
	},

	'subscriptions that are added while the topic is being requested receive what they asked for': async (server) => {
		await server.serve();
		await server.emitAll(LONG, [1, 2, 3, 4, 5]);
		for (const first of [undefined, 2]) {
			const client = await readyClient(server);
			const early = hear(client, LONG, first);
			await Promise.resolve();
			const late = [1, 4, undefined].map((rewind) => hear(client, LONG, rewind));
			const all = [early, ...late];
			await Promise.all(all.map(([, subscribed]) => subscribed));
			assert.deepEqual(
				all.map(([each]) => each),
				[first === undefined ? [] : [4, 5], [5], [2, 3, 4, 5], []],
			);
		}
	},

	'a subscription that is added without a connection receives its last messages, and then what was missed': async (
		server,
	) => {
		await server.serve();
		await server.emitAll(LONG, [1, 2, 3]);
		const client = await readyClient(server);
		const [first, subscribed] = hear(client, LONG);
		await subscribed;
		await cutOff(server);
		await eventually(() => client.state !== 'ready', 'the loss is noticed');
		const [second] = hear(client, LONG, 2);
		await server.emitAll(LONG, [4, 5, 6, 7]);
		await server.network('accept');
		await eventually(() => first.includes('recovered'), 'the client has reconnected');
		await server.emit(LONG, 8);
		for (const heard of [first, second]) await ends(heard, 8);
		assert.deepEqual(first, [4, 5, 6, 7, 'recovered', 8]);
		assert.deepEqual(
			second.filter((one) => one !== 'recovered'),
			[2, 3, 4, 5, 6, 7, 8],
		);
	},

	'a rewind whose connection is lost is delivered over the next one, once': async (server) => {
		await server.serve();
		await server.emitAll(LONG, [1, 2, 3]);
		const client = await readyClient(server, { heartbeat: { intervalMs: 50, timeoutMs: 200 } });
		const [first, subscribed] = hear(client, LONG);
		await subscribed;
		await server.network('freeze');
		const [second, later] = hear(client, LONG, 2);
		await cutOff(server);
		await server.emit(LONG, 4);
		await server.network('thaw');
		await server.network('accept');
		await later;
		await eventually(() => first.includes('recovered'), 'the client has reconnected');
		await server.emit(LONG, 5);
		for (const heard of [first, second]) await ends(heard, 5);
		assert.deepEqual(
			second.filter((one) => one !== 'recovered'),
			[2, 3, 4, 5],
		);
		assert.deepEqual(first, [4, 'recovered', 5]);
	},

	'after messages were lost, each subscription receives the last messages again that it asked for': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const all: number[] = [];
		client.on(Numbered, ({ n }) => all.push(n));
		const heard = [undefined, 2, 100].map((rewind) => hear(client, SHORT, rewind));
		await Promise.all(heard.map(([, subscribed]) => subscribed));
		await server.emitAll(SHORT, [1, 2]);
		for (const [each] of heard) await ends(each, 2);
		await cutOff(server);
		await server.emitAll(SHORT, [3, 4, 5, 6, 7, 8, 9]);
		await server.network('accept');
		for (const [each] of heard) await eventually(() => each.includes('gap'), 'the gap is reported');
		await server.emit(SHORT, 10);
		for (const [each] of heard) await ends(each, 10);
		assert.deepEqual(
			heard.map(([each]) => each),
			[
				[1, 2, 'lost', 'gap', 10],
				[1, 2, 'lost', 'gap', 8, 9, 10],
				[1, 2, 'lost', 'gap', 5, 6, 7, 8, 9, 10],
			],
		);
		assert.deepEqual(all, [1, 2, 10]);
	},

	'a rewind that was waiting when messages were lost brings the last messages there are now': async (server) => {
		await server.serve();
		await server.emitAll(SHORT, [1, 2]);
		const client = await readyClient(server);
		const [first, subscribed] = hear(client, SHORT);
		await subscribed;
		await cutOff(server);
		await eventually(() => client.state !== 'ready', 'the loss is noticed');
		const [second, later] = hear(client, SHORT, 3);
		await server.emitAll(SHORT, [3, 4, 5, 6, 7, 8, 9]);
		await server.network('accept');
		await later;
		await eventually(() => first.includes('gap'), 'the gap is reported');
		await server.emit(SHORT, 10);
		for (const heard of [first, second]) await ends(heard, 10);
		assert.deepEqual(
			[first, second],
			[
				['lost', 'gap', 10],
				['lost', 'gap', 7, 8, 9, 10],
			],
		);
	},

	'a topic that continues from a saved position is rewound only if messages are lost': async (server) => {
		await server.serve();
		await server.emitAll(LONG, [1, 2, 3]);
		const first = await readyClient(server);
		await first.subscribe(LONG);
		const positions = first.positions;
		await first.close();
		await server.emit(LONG, 4);
		const client = await readyClient(server, { positions });
		const heard = [hear(client, LONG, 2), hear(client, LONG, 100)];
		for (const [each, subscribed] of heard) {
			await subscribed;
			assert.deepEqual(each, [4, 'recovered']);
		}
		const lost = await readyClient(server, { positions: { [LONG]: { epoch: 'another', offset: 7 } } });
		const [again, resubscribed] = hear(lost, LONG, 2);
		await resubscribed;
		assert.deepEqual(again, ['lost', 'gap', 3, 4]);
	},

	'a rewind of many messages is read page by page': async (server) => {
		await server.serve();
		await server.emitAll(LONG, upTo(2_500));
		const client = await readyClient(server);
		await client.subscribe(LONG);
		const [heard, subscribed] = hear(client, LONG, 2_200);
		await server.emit(LONG, 2_501);
		await subscribed;
		await ends(heard, 2_501);
		assert.deepEqual(heard, upTo(2_501, 301));
	},

	'a subscription of one kind of message receives only this kind of its last messages': async (server) => {
		await server.serve();
		await server.emitAll(LONG, [1, 2]);
		await server.publish(LONG, 'text');
		const client = await readyClient(server);
		await client.subscribe(LONG);
		const numbers: number[] = [];
		await client.subscribe(LONG, { rewind: 2, message: Numbered, onMessage: ({ n }) => numbers.push(n) });
		assert.deepEqual(numbers, [2]);
	},

	'a subscription that is closed before its last messages arrive receives none of them': async (server) => {
		await server.serve();
		await server.emitAll(LONG, [1, 2]);
		const client = await readyClient(server);
		const [first, subscribed] = hear(client, LONG);
		await subscribed;
		const [second, later] = hear(client, LONG, 2);
		void (await Promise.all([rejection(later), (later as unknown as Subscription).close()]));
		const [third, last] = hear(client, LONG, 1);
		await last;
		await server.emit(LONG, 3);
		for (const heard of [first, third]) await ends(heard, 3);
		assert.deepEqual([second, third], [[], [2, 3]]);
	},

	'a rewind that joins the request of a topic without history is refused alone': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		failuresOf(client);
		const early = client.subscribe('plain');
		await Promise.resolve();
		const [heard, late] = hear(client, 'plain', 1);
		assertRefused(await rejection(late), 'invalid_data');
		await early;
		assert.deepEqual(heard, ['refused']);
	},

	'a rewind in the same request as other subscriptions of a topic without history is refused alone': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		failuresOf(client);
		const [first, subscribed] = hear(client, 'plain');
		const [second, together] = hear(client, 'plain', 1);
		assertRefused(await rejection(together), 'invalid_data');
		await subscribed;
		await cutOff(server);
		await eventually(() => client.state !== 'ready', 'the loss is noticed');
		const [third, later] = hear(client, 'plain', 1);
		await server.network('accept');
		assertRefused(await rejection(later), 'invalid_data');
		await eventually(() => first.includes('gap'), 'the topic is subscribed to again');
		await server.emit('plain', 1);
		await ends(first, 1);
		assert.deepEqual([first, second, third], [['gap', 1], ['refused'], ['refused']]);
	},

	'a rewind that the server refuses ends its subscription, and no other': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const failures = failuresOf(client);
		const [first, subscribed] = hear(client, LONG);
		const [plain, plainly] = hear(client, 'plain');
		await Promise.all([subscribed, plainly]);
		await server.emit(LONG, 0);
		await ends(first, 0);
		// The client is in the topic, and needs no further permission.
		await server.forbid([LONG]);
		const [second, later] = hear(client, LONG, 2);
		await later;
		const [refused, never] = hear(client, 'plain', 2);
		const error = await rejection(never);
		assertRefused(error, 'invalid_data');
		assert.match(error.message, /plain has no history/);
		assert.deepEqual(
			failures.map(([stage]) => stage),
			['subscribe'],
		);
		for (const topic of [LONG, 'plain']) await server.emit(topic, 1);
		for (const heard of [first, second, plain]) await ends(heard, 1);
		assert.deepEqual([second, refused], [[0, 1], ['refused']]);
	},

	'a rewind that is cut off begins again on the next connection': async (server) => {
		await server.serveRaw({ answers: false });
		const client = newClient(server);
		const connected = client.connect();
		const raw = rawTopic(server);
		await raw.answer(0, { socketId: 's' });
		await connected;
		const [heard, subscribed] = hear(client, 't', 3);
		const [other, alsoSubscribed] = hear(client, 't');
		const requested = { topics: [{ topic: 't', rewind: 3 }] };
		const arrived: number[] = [];
		client.on(Numbered, ({ n }) => arrived.push(n));
		for (const [at, sent] of [
			[1, [1]],
			[3, [1, 2]],
		] as const) {
			assert.deepEqual((await raw.sent(at)).data, requested);
			await raw.position({ offset: 10, rewinding: true });
			for (const n of sent) await raw.message(n, 10 + n);
			await eventually(() => arrived.at(-1) === sent.at(-1), 'the messages arrive');
			assert.deepEqual([heard, client.positions], [[], {}]);
			if (at === 3) break;
			await server.closeConnections(1001);
			await raw.answer(2, { socketId: 's' });
		}
		await raw.position({ offset: 12 });
		await raw.answer(3, { refused: [] });
		await Promise.all([subscribed, alsoSubscribed]);
		assert.deepEqual([heard, other, client.positions], [[1, 2], [], { t: { epoch: 'e', offset: 12 } }]);
	},

	'messages that are lost after a recovery are reported as a gap, even if that was never confirmed': async (server) => {
		for (const isSaved of [false, true]) {
			await server.serveRaw({ answers: false });
			const saved = { positions: { t: { epoch: 'e', offset: 10 } } };
			const client = newClient(server, isSaved ? saved : {});
			const connected = client.connect();
			const raw = rawTopic(server);
			await raw.answer(0, { socketId: 's' });
			await connected;
			const [heard] = hear(client, 't');
			let frames = 1;
			if (!isSaved) {
				await raw.sent(frames);
				await raw.position({ offset: 10 });
				await raw.answer(frames, { refused: [] });
				await server.closeConnections(1001);
				await raw.answer(2, { socketId: 's' });
				frames = 3;
			}
			await raw.sent(frames);
			await raw.message(1, 11);
			await raw.position({ offset: 11, recovered: true, count: 1 });
			await eventually(() => heard.includes('recovered'), 'the topic is recovered');
			await server.closeConnections(1001);
			await raw.answer(frames + 1, { socketId: 's' });
			await raw.sent(frames + 2);
			await raw.position({ offset: 20, recovered: false });
			await raw.answer(frames + 2, { refused: [] });
			await eventually(() => heard.includes('gap'), 'the gap is reported');
			assert.deepEqual(heard, [1, 'recovered', 'lost', 'gap']);
			await client.close();
			await server.kill();
		}
	},

	'a subscription that is added during another rewind is confirmed when it has its own messages': async (server) => {
		await server.serveRaw({ answers: false });
		const client = newClient(server);
		const connected = client.connect();
		const raw = rawTopic(server);
		await raw.answer(0, { socketId: 's' });
		await connected;
		const [first, subscribed] = hear(client, 't', 1);
		await raw.sent(1);
		await raw.position({ offset: 10, rewinding: true });
		await raw.position({ offset: 10 });
		await raw.answer(1, { refused: [] });
		await subscribed;
		await server.closeConnections(1001);
		await raw.answer(2, { socketId: 's' });
		await raw.sent(3);
		await raw.position({ offset: 20, recovered: false, rewinding: true });
		await eventually(() => first.includes('lost'), 'messages are lost');
		const [second, later] = hear(client, 't', 1);
		assert.equal(await isSettled(later), false);
		await raw.message(21, 21);
		await raw.position({ offset: 21 });
		await raw.answer(3, { refused: [] });
		assert.match(JSON.stringify((await raw.sent(4)).data), /"upTo":{"epoch":"e","offset":21}/);
		assert.equal(await isSettled(later), false);
		const position = { epoch: 'e', offset: 21, prev: 20 };
		const messages = [{ name: 'numbered', data: { n: 21 }, timestamp: 1, topic: 't', position }];
		await raw.answer(4, { messages, hasMore: false, recovered: true, epoch: 'e', offset: 21 });
		await later;
		assert.deepEqual(
			[first, second],
			[
				['lost', 'gap', 21],
				['gap', 21],
			],
		);
	},

	'close() of the client rejects subscriptions that still wait for their rewind, and refuses none': async (server) => {
		await server.serve();
		await server.emitAll(LONG, [1, 2]);
		const client = await readyClient(server);
		const [first, subscribed] = hear(client, LONG);
		await subscribed;
		await cutOff(server);
		await eventually(() => client.state !== 'ready', 'the loss is noticed');
		const [second, later] = hear(client, LONG, 1);
		const closed = client.close();
		assert.ok((await rejection(later)) instanceof ClientClosedError);
		await closed;
		await server.network('accept');
		await client.connect();
		await server.emit(LONG, 3);
		await eventually(() => first.includes(3), 'the message arrives');
		assert.deepEqual(second, []);
	},

	'messages that were lost are reported as a gap, even if the connection is lost before that': async (server) => {
		await server.serveRaw({ answers: false });
		const client = newClient(server, { positions: { t: { epoch: 'old', offset: 7 } } });
		const connected = client.connect();
		const raw = rawTopic(server);
		await raw.answer(0, { socketId: 's' });
		await connected;
		const [heard, subscribed] = hear(client, 't');
		await raw.sent(1);
		await raw.position({ offset: 10, recovered: false });
		await eventually(() => heard.length === 1, 'the loss is known');
		await server.closeConnections(1001);
		await raw.answer(2, { socketId: 's' });
		assert.deepEqual((await raw.sent(3)).data, { topics: [{ topic: 't', since: { epoch: 'e', offset: 10 } }] });
		await raw.position({ offset: 10, recovered: true });
		await raw.answer(3, { refused: [] });
		await subscribed;
		assert.deepEqual(heard, ['lost', 'recovered', 'gap']);
	},
};
