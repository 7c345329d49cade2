import { strict as assert } from 'node:assert';
import type { GapNotice, Recovered, SocketClient, SubscriptionOptions } from '../../index.ts';
import { eventually, rejection } from '../assertions.ts';
import { failuresOf, newClient, readyClient } from '../run-scenario.ts';
import type { Scenario, TestServer } from '../test-server.ts';

/** A topic whose history keeps all messages that a scenario can miss. */
const LONG = 'long:t';
/** A topic whose history keeps five messages. */
const SHORT = 'short:t';

interface Received {
	readonly numbers: number[];
	readonly recovered: Recovered[];
	readonly gaps: GapNotice[];
}

async function follow(client: SocketClient, topic: string, options: SubscriptionOptions = {}): Promise<Received> {
	const received: Received = { numbers: [], recovered: [], gaps: [] };
	await client.subscribe(topic, {
		onMessage: (data) => received.numbers.push((data as { n: number }).n),
		onRecovered: (recovered) => received.recovered.push(recovered),
		onGap: (gap) => received.gaps.push(gap),
		...options,
	});
	return received;
}

/** Loses the connection under load twice, and expects every message to arrive once and in order. */
async function away(server: TestServer, lose: () => Promise<void>): Promise<void> {
	await server.serve();
	const client = await readyClient(server, { heartbeat: { intervalMs: 50, timeoutMs: 200 } });
	const received = await follow(client, LONG);
	await server.publishSteadily(LONG);
	for (const time of [1, 2]) {
		const before = received.numbers.length;
		await eventually(() => received.numbers.length > before + 20, 'messages arrive');
		await lose();
		await eventually(() => received.recovered.length === time, 'the client has reconnected', 10_000);
	}
	const published = await server.stopPublishing();
	const last = published.at(-1)?.n ?? -1;
	await eventually(() => received.numbers.at(-1) === last, 'the last message has arrived');
	assert.deepEqual(
		received.numbers,
		published.map(({ n }) => n),
	);
	assert.deepEqual(
		received.recovered.map(({ recovered }) => recovered),
		[true, true],
	);
	assert.ok(
		received.recovered.every(({ count }) => count > 0),
		'the test needs missed messages',
	);
	assert.deepEqual(received.gaps, []);
}

export const history: Record<string, Scenario> = {
	'delivers messages missed over closed connections, once and in order': (server) =>
		away(server, () => server.closeConnections(1001)),

	'delivers messages missed over a network outage, once and in order': (server) =>
		away(server, async () => {
			await server.network('refuse');
			await server.network('cut');
			const until = Date.now() + 200;
			await eventually(() => Date.now() > until, 'the network was down for a while');
			await server.network('accept');
		}),

	'delivers messages missed over a server restart, once and in order': (server) =>
		away(server, async () => {
			await server.kill();
			await server.serve();
		}),

	'reports a gap if history no longer has the missed messages, and delivers none of them': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const received = await follow(client, SHORT);
		await server.emitAll(SHORT, [1, 2]);
		await eventually(() => received.numbers.length === 2, 'two messages arrive');
		await server.network('refuse');
		await server.network('cut');
		await server.emitAll(SHORT, [3, 4, 5, 6, 7, 8]);
		await server.network('accept');
		await eventually(() => received.gaps.length > 0, 'the gap is reported');
		assert.deepEqual(received.recovered, [{ recovered: false, count: 0 }]);
		await server.emit(SHORT, 9);
		await eventually(() => received.numbers.length > 2, 'the next message arrives');
		assert.deepEqual(received.numbers, [1, 2, 9]);
		assert.deepEqual(
			received.gaps.map(({ topic }) => topic),
			[SHORT],
		);
	},

	'recovers exactly as many messages as history keeps': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const received = await follow(client, SHORT);
		await server.emitAll(SHORT, [1, 2]);
		await eventually(() => received.numbers.length === 2, 'two messages arrive');
		await server.network('refuse');
		await server.network('cut');
		await server.emitAll(SHORT, [3, 4, 5, 6, 7]);
		await server.network('accept');
		await eventually(() => received.recovered.length > 0, 'the client has reconnected');
		assert.deepEqual([received.numbers, received.recovered], [[1, 2, 3, 4, 5, 6, 7], [{ recovered: true, count: 5 }]]);
		assert.deepEqual(received.gaps, []);
	},

	'recovers a topic that was empty before': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const received = await follow(client, LONG);
		await server.network('refuse');
		await server.network('cut');
		await server.emit(LONG, 1);
		await server.network('accept');
		await eventually(() => received.recovered.length > 0, 'the client has reconnected');
		assert.deepEqual([received.numbers, received.recovered, received.gaps], [[1], [{ recovered: true, count: 1 }], []]);
	},

	'delivers the first message of a topic to all its subscribers, without a request for missed messages': async (
		server,
	) => {
		await server.serve();
		const client = await readyClient(server);
		const all = [await follow(client, LONG), await follow(await readyClient(server), LONG, { rewind: 5 })];
		for (const topic of ['long:u', 'long:v']) await server.emit(topic, 0);
		assert.match(client.positions[LONG]?.epoch ?? '', /\./);
		await server.emitAll(LONG, [1, 2]);
		for (const { numbers } of all) await eventually(() => numbers.length === 2, 'both messages arrive');
		for (const received of all) assert.deepEqual(received, { numbers: [1, 2], recovered: [], gaps: [] });
		assert.doesNotMatch(client.positions[LONG]?.epoch ?? '', /\./);
	},

	'resumes from a position before the first message, across a restart and however many other topics begin': async (
		server,
	) => {
		await server.serve();
		const first = await readyClient(server);
		const before = await follow(first, LONG);
		const kept = JSON.stringify(first.positions);
		await first.close();
		await server.kill();
		for (const topic of ['long:u', 'long:v', 'long:w']) await server.emit(topic, 0);
		await server.serve();
		const empty = await readyClient(server, { positions: JSON.parse(kept) });
		assert.deepEqual((await follow(empty, LONG)).recovered, [{ recovered: true, count: 0 }]);
		await server.emitAll(LONG, [1, 2, 3]);
		const later = await readyClient(server, { positions: JSON.parse(kept) });
		const after = await follow(later, LONG);
		await server.emit(LONG, 4);
		await eventually(() => after.numbers.at(-1) === 4, 'the live message arrives');
		assert.deepEqual(after, { numbers: [1, 2, 3, 4], recovered: [{ recovered: true, count: 3 }], gaps: [] });
		assert.deepEqual(before.numbers, []);
	},

	'reports a gap if the messages after a position before the first one are no longer kept': async (server) => {
		await server.serve();
		const first = await readyClient(server);
		await follow(first, SHORT);
		const kept = JSON.stringify(first.positions);
		await first.close();
		await server.emitAll(SHORT, [1, 2, 3, 4, 5, 6]);
		const later = await readyClient(server, { positions: JSON.parse(kept) });
		const after = await follow(later, SHORT);
		await eventually(() => after.gaps.length > 0, 'the gap is reported');
		assert.deepEqual([after.numbers, after.recovered], [[], [{ recovered: false, count: 0 }]]);
	},

	'reports a gap if a position before the first message comes from a store that has lost its data': async (server) => {
		await server.serve();
		const client = await readyClient(server, { positions: { [LONG]: { epoch: 'another.0', offset: 0 } } });
		const received = await follow(client, LONG);
		await eventually(() => received.gaps.length > 0, 'the gap is reported');
		assert.deepEqual(received.recovered, [{ recovered: false, count: 0 }]);
	},

	'rewind delivers the last messages first': async (server) => {
		await server.serve();
		await server.emitAll(LONG, [1, 2, 3, 4, 5]);
		const [some, all, none] = [await readyClient(server), await readyClient(server), await readyClient(server)];
		const received = [
			await follow(some, LONG, { rewind: 2 }),
			await follow(all, LONG, { rewind: 50 }),
			await follow(none, LONG),
		];
		await server.emit(LONG, 6);
		for (const { numbers } of received) await eventually(() => numbers.at(-1) === 6, 'the live message arrives');
		assert.deepEqual(
			received.map(({ numbers }) => numbers),
			[[4, 5, 6], [1, 2, 3, 4, 5, 6], [6]],
		);
	},

	'a topic that is subscribed again before it is unsubscribed starts over, and is followed': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const first = await client.subscribe(LONG, {});
		await server.emitAll(LONG, [1, 2, 3]);
		void first.close();
		const received = await follow(client, LONG, { rewind: 2 });
		await server.emit(LONG, 4);
		await eventually(() => received.numbers.at(-1) === 4, 'the live message arrives');
		await server.network('refuse');
		await server.network('cut');
		await server.emit(LONG, 5);
		await server.network('accept');
		await eventually(() => received.recovered.length > 0, 'the client has reconnected');
		assert.deepEqual(
			[received.numbers, received.recovered, received.gaps],
			[[2, 3, 4, 5], [{ recovered: true, count: 1 }], []],
		);
	},

	'a later client resumes from the positions of another one': async (server) => {
		await server.serve();
		const first = await readyClient(server);
		const before = await follow(first, LONG);
		await server.emitAll(LONG, [1, 2]);
		await eventually(() => before.numbers.length === 2, 'two messages arrive');
		const kept = JSON.stringify(first.positions);
		await first.close();
		await server.emitAll(LONG, [3, 4]);
		const second = newClient(server, { positions: JSON.parse(kept) });
		assert.deepEqual(JSON.stringify(second.positions), kept);
		await second.connect();
		const after = await follow(second, LONG, { rewind: 50 });
		await server.emit(LONG, 5);
		await eventually(() => after.numbers.at(-1) === 5, 'the live message arrives');
		assert.deepEqual([after.numbers, after.recovered], [[3, 4, 5], [{ recovered: true, count: 2 }]]);
		assert.deepEqual(after.gaps, []);
	},

	'reports a gap to a later client whose position is unknown': async (server) => {
		await server.serve();
		const client = await readyClient(server, { positions: { [LONG]: { epoch: 'another', offset: 7 } } });
		const received = await follow(client, LONG);
		await eventually(() => received.gaps.length > 0, 'the gap is reported');
		assert.deepEqual(received.recovered, [{ recovered: false, count: 0 }]);
	},

	'delivers text and bytes as they were published': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const received: [string, unknown][] = [];
		await client.subscribe(LONG, {
			onMessage(data, { name, topic, position }) {
				assert.equal(topic, LONG);
				assert.equal(typeof position?.offset, 'number');
				received.push([name, data instanceof ArrayBuffer ? [...new Uint8Array(data)] : data]);
			},
		});
		await server.publish(LONG, '{"not":"parsed"} é');
		await server.publishBytes(LONG, [0, 1, 255]);
		await server.publish(LONG, '');
		await server.publishBytes(LONG, []);
		await eventually(() => received.length === 4, 'all messages have arrived');
		assert.deepEqual(received, [
			['@text', '{"not":"parsed"} é'],
			['@bytes', [0, 1, 255]],
			['@text', ''],
			['@bytes', []],
		]);
	},

	'rejects rewind for a topic without history, and invalid values': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const error = await rejection(client.subscribe('plain', { rewind: 1 }));
		assert.match(String(error), /plain has no history to rewind/);
		await client.subscribe('plain');
		failuresOf(client);
		for (const rewind of [0, -1, 1.5, 100_001, '5']) {
			assert.match(
				String(await rejection(client.subscribe(LONG, { rewind: rewind as number }))),
				/rewind must be a whole number/,
			);
		}
	},

	'holds back a message that does not follow the last one, and requests those in between': async (server) => {
		await server.serveRaw({ answers: false });
		const client = newClient(server);
		const connected = client.connect();
		await eventually(async () => (await server.received()).length === 1, '@auth has arrived');
		await server.sendRaw('{"type":"@auth","correlationId":"@1","data":{"socketId":"s","timestamp":1000000}}');
		await connected;
		const numbers: unknown[] = [];
		const recovered: Recovered[] = [];
		const subscribed = client.subscribe('t', {
			onMessage: (data) => numbers.push(data),
			onRecovered: (what) => recovered.push(what),
		});
		const message = (n: number, offset: number, prev: number, epoch = 'e'): Promise<void> =>
			server.sendRaw(
				JSON.stringify({ name: 'numbered', data: n, timestamp: 1, topic: 't', position: { epoch, offset, prev } }),
			);
		const requested = async (count: number): Promise<unknown> => {
			await eventually(async () => (await server.received()).length === count, '@subscribe has arrived');
			const { type, data, correlationId } = JSON.parse((await server.received())[count - 1]?.text ?? '');
			return [type, data, correlationId];
		};
		assert.deepEqual(await requested(2), ['@subscribe', { topics: ['t'] }, '@2']);
		await server.sendRaw('{"type":"@position","data":{"topics":["t"],"epoch":"e","offset":10,"count":0}}');
		await server.sendRaw('{"type":"@subscribe","correlationId":"@2","data":{"timestamp":1000000,"refused":[]}}');
		await subscribed;

		await message(1, 15, 10);
		await message(3, 30, 20);
		const since = { epoch: 'e', offset: 15 };
		assert.deepEqual(await requested(3), ['@subscribe', { topics: [{ topic: 't', since }] }, '@3']);
		await message(4, 40, 30);
		await message(2, 20, 15);
		await message(3, 30, 20);
		await server.sendRaw(
			'{"type":"@position","data":{"topics":["t"],"epoch":"e","offset":30,"recovered":true,"count":2}}',
		);
		await server.sendRaw('{"type":"@subscribe","correlationId":"@3","data":{"timestamp":1000001,"refused":[]}}');
		await message(4, 40, 30);
		await eventually(() => numbers.length === 4, 'all messages have arrived');
		assert.deepEqual([numbers, recovered], [[1, 2, 3, 4], [{ recovered: true, count: 2 }]]);
		assert.deepEqual(client.positions, { t: { epoch: 'e', offset: 40 } });

		await message(9, 50, 40, 'another');
		const last = { epoch: 'e', offset: 40 };
		assert.deepEqual(await requested(4), ['@subscribe', { topics: [{ topic: 't', since: last }] }, '@4']);
		assert.equal(numbers.length, 4);
		assert.deepEqual(failuresOf(client), []);
	},

	'delivers all messages of a topic with history through a server that keeps none': async (server) => {
		await server.serveRaw({ answers: false });
		const client = newClient(server);
		const connected = client.connect();
		await eventually(async () => (await server.received()).length === 1, '@auth has arrived');
		await server.sendRaw('{"type":"@auth","correlationId":"@1","data":{"socketId":"s","timestamp":1000000}}');
		await connected;
		const numbers: unknown[] = [];
		const subscribed = client.subscribe('t', { onMessage: (data) => numbers.push(data) });
		await eventually(async () => (await server.received()).length === 2, '@subscribe has arrived');
		await server.sendRaw('{"type":"@subscribe","correlationId":"@2","data":{"timestamp":1000000,"refused":[]}}');
		await subscribed;
		for (const [data, offset, prev] of [
			[1, 15, 10],
			[3, 30, 20],
		])
			await server.sendRaw(
				JSON.stringify({ name: 'n', data, timestamp: 1, topic: 't', position: { epoch: 'e', offset, prev } }),
			);
		await eventually(() => numbers.length === 2, 'both messages have arrived');
		assert.deepEqual([numbers, client.positions], [[1, 3], {}]);
		assert.equal((await server.received()).length, 2);
	},
};
