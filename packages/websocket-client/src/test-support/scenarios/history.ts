import { strict as assert } from 'node:assert';
import type { GapNotice, Recovered, SocketClient, SubscriptionOptions } from '../../index.ts';
import { clientOf, eventually, failuresOf, readyClient, rejection } from '../play.ts';
import type { Scenario, Stage } from '../stage.ts';

/** Keeps enough for whatever a scenario misses. */
const LONG = 'long:t';
/** Keeps five messages. */
const SHORT = 'short:t';

interface Heard {
	readonly numbers: number[];
	readonly recovered: Recovered[];
	readonly gaps: GapNotice[];
}

async function follow(client: SocketClient, topic: string, options: SubscriptionOptions = {}): Promise<Heard> {
	const heard: Heard = { numbers: [], recovered: [], gaps: [] };
	await client.subscribe(topic, {
		onMessage: (data) => heard.numbers.push((data as { n: number }).n),
		onRecovered: (recovered) => heard.recovered.push(recovered),
		onGap: (gap) => heard.gaps.push(gap),
		...options,
	});
	return heard;
}

/** Loses the connection under load, twice, and counts. */
async function away(stage: Stage, lose: () => Promise<void>): Promise<void> {
	await stage.serve();
	const client = await readyClient(stage, { heartbeat: { intervalMs: 50, timeoutMs: 200 } });
	const heard = await follow(client, LONG);
	await stage.publishSteadily(LONG);
	for (const time of [1, 2]) {
		const before = heard.numbers.length;
		await eventually(() => heard.numbers.length > before + 20, 'messages come');
		await lose();
		await eventually(() => heard.recovered.length === time, 'it is back', 10_000);
	}
	const published = await stage.published();
	const last = published.at(-1)?.n ?? -1;
	await eventually(() => heard.numbers.at(-1) === last, 'the last has come');
	assert.deepEqual(
		heard.numbers,
		published.map(({ n }) => n),
	);
	assert.deepEqual(
		heard.recovered.map(({ recovered }) => recovered),
		[true, true],
	);
	assert.ok(
		heard.recovered.every(({ count }) => count > 0),
		'something was missed, or this shows nothing',
	);
	assert.deepEqual(heard.gaps, []);
}

export const history: Record<string, Scenario> = {
	'what was missed while the server closed connections comes, once and in order': (stage) =>
		away(stage, () => stage.kick(1001)),

	'what was missed while the network was cut comes, once and in order': (stage) =>
		away(stage, async () => {
			await stage.link('refuse');
			await stage.link('cut');
			const until = Date.now() + 200;
			await eventually(() => Date.now() > until, 'it was away for a while');
			await stage.link('accept');
		}),

	'what was missed while the server was restarted comes, once and in order': (stage) =>
		away(stage, async () => {
			await stage.kill();
			await stage.serve();
		}),

	'what is no longer there is told, and nothing of it comes': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const heard = await follow(client, SHORT);
		await stage.emitAll(SHORT, [1, 2]);
		await eventually(() => heard.numbers.length === 2, 'two come');
		await stage.link('refuse');
		await stage.link('cut');
		await stage.emitAll(SHORT, [3, 4, 5, 6, 7, 8]);
		await stage.link('accept');
		await eventually(() => heard.gaps.length > 0, 'it is told');
		assert.deepEqual(heard.recovered, [{ recovered: false, count: 0 }]);
		await stage.emit(SHORT, 9);
		await eventually(() => heard.numbers.length > 2, 'it goes on');
		assert.deepEqual(heard.numbers, [1, 2, 9]);
		assert.deepEqual(
			heard.gaps.map(({ topic }) => topic),
			[SHORT],
		);
	},

	'just as much as is kept comes back': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const heard = await follow(client, SHORT);
		await stage.emitAll(SHORT, [1, 2]);
		await eventually(() => heard.numbers.length === 2, 'two come');
		await stage.link('refuse');
		await stage.link('cut');
		await stage.emitAll(SHORT, [3, 4, 5, 6, 7]);
		await stage.link('accept');
		await eventually(() => heard.recovered.length > 0, 'it is back');
		assert.deepEqual([heard.numbers, heard.recovered], [[1, 2, 3, 4, 5, 6, 7], [{ recovered: true, count: 5 }]]);
		assert.deepEqual(heard.gaps, []);
	},

	'a topic in which nothing was published yet misses nothing either': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const heard = await follow(client, LONG);
		await stage.link('refuse');
		await stage.link('cut');
		await stage.emit(LONG, 1);
		await stage.link('accept');
		await eventually(() => heard.recovered.length > 0, 'it is back');
		assert.deepEqual([heard.numbers, heard.recovered, heard.gaps], [[1], [{ recovered: true, count: 1 }], []]);
	},

	'the last ones come first, if asked for': async (stage) => {
		await stage.serve();
		await stage.emitAll(LONG, [1, 2, 3, 4, 5]);
		const [some, all, none] = [await readyClient(stage), await readyClient(stage), await readyClient(stage)];
		const heard = [
			await follow(some, LONG, { rewind: 2 }),
			await follow(all, LONG, { rewind: 50 }),
			await follow(none, LONG),
		];
		await stage.emit(LONG, 6);
		for (const { numbers } of heard) await eventually(() => numbers.at(-1) === 6, 'the live one comes');
		assert.deepEqual(
			heard.map(({ numbers }) => numbers),
			[[4, 5, 6], [1, 2, 3, 4, 5, 6], [6]],
		);
	},

	'a topic that is wanted again before it is left begins anew, and is followed': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const first = await client.subscribe(LONG, {});
		await stage.emitAll(LONG, [1, 2, 3]);
		void first.close();
		const heard = await follow(client, LONG, { rewind: 2 });
		await stage.emit(LONG, 4);
		await eventually(() => heard.numbers.at(-1) === 4, 'the live one comes');
		await stage.link('refuse');
		await stage.link('cut');
		await stage.emit(LONG, 5);
		await stage.link('accept');
		await eventually(() => heard.recovered.length > 0, 'it is back');
		assert.deepEqual([heard.numbers, heard.recovered, heard.gaps], [[2, 3, 4, 5], [{ recovered: true, count: 1 }], []]);
	},

	'a later client goes on where another one was': async (stage) => {
		await stage.serve();
		const first = await readyClient(stage);
		const before = await follow(first, LONG);
		await stage.emitAll(LONG, [1, 2]);
		await eventually(() => before.numbers.length === 2, 'two come');
		const kept = JSON.stringify(first.positions);
		await first.close();
		await stage.emitAll(LONG, [3, 4]);
		const second = clientOf(stage, { positions: JSON.parse(kept) });
		assert.deepEqual(JSON.stringify(second.positions), kept);
		await second.connect();
		const after = await follow(second, LONG, { rewind: 50 });
		await stage.emit(LONG, 5);
		await eventually(() => after.numbers.at(-1) === 5, 'the live one comes');
		assert.deepEqual([after.numbers, after.recovered], [[3, 4, 5], [{ recovered: true, count: 2 }]]);
		assert.deepEqual(after.gaps, []);
	},

	'a later client is told when what it missed is not there': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage, { positions: { [LONG]: { epoch: 'another', offset: 7 } } });
		const heard = await follow(client, LONG);
		await eventually(() => heard.gaps.length > 0, 'it is told');
		assert.deepEqual(heard.recovered, [{ recovered: false, count: 0 }]);
	},

	'text and bytes come as they were published': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const heard: [string, unknown][] = [];
		await client.subscribe(LONG, {
			onMessage(data, { name, topic, position }) {
				assert.equal(topic, LONG);
				assert.equal(typeof position?.offset, 'number');
				heard.push([name, data instanceof ArrayBuffer ? [...new Uint8Array(data)] : data]);
			},
		});
		await stage.publish(LONG, '{"not":"parsed"} é');
		await stage.publishBytes(LONG, [0, 1, 255]);
		await stage.publish(LONG, '');
		await stage.publishBytes(LONG, []);
		await eventually(() => heard.length === 4, 'all come');
		assert.deepEqual(heard, [
			['@text', '{"not":"parsed"} é'],
			['@bytes', [0, 1, 255]],
			['@text', ''],
			['@bytes', []],
		]);
	},

	'a topic without history can not be rewound': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const error = await rejection(client.subscribe('plain', { rewind: 1 }));
		assert.match(String(error), /plain has no history to rewind/);
		await client.subscribe('plain');
		for (const rewind of [0, -1, 1.5, 100_001, '5']) {
			assert.match(
				String(await rejection(client.subscribe(LONG, { rewind: rewind as number }))),
				/rewind must be a whole number/,
			);
		}
	},

	'what does not follow the last message is not heard, and what is between is asked for': async (stage) => {
		await stage.serveRaw({ answers: false });
		const client = clientOf(stage);
		const connected = client.connect();
		await eventually(async () => (await stage.heard()).length === 1, 'it asks to be let in');
		await stage.say('{"type":"@auth","correlationId":"@1","data":{"socketId":"s","timestamp":1000000}}');
		await connected;
		const numbers: unknown[] = [];
		const recovered: Recovered[] = [];
		const subscribed = client.subscribe('t', {
			onMessage: (data) => numbers.push(data),
			onRecovered: (what) => recovered.push(what),
		});
		const message = (n: number, offset: number, prev: number, epoch = 'e'): Promise<void> =>
			stage.say(
				JSON.stringify({ name: 'numbered', data: n, timestamp: 1, topic: 't', position: { epoch, offset, prev } }),
			);
		const asked = async (count: number): Promise<unknown> => {
			await eventually(async () => (await stage.heard()).length === count, 'it asks for the topic');
			const { type, data, correlationId } = JSON.parse((await stage.heard())[count - 1]?.text ?? '');
			return [type, data, correlationId];
		};
		assert.deepEqual(await asked(2), ['@subscribe', { topics: ['t'] }, '@2']);
		await stage.say('{"type":"@position","data":{"topic":"t","epoch":"e","offset":10,"count":0}}');
		await stage.say('{"type":"@subscribe","correlationId":"@2","data":{"timestamp":1000000,"refused":[]}}');
		await subscribed;

		await message(1, 15, 10);
		await message(3, 30, 20);
		const since = { epoch: 'e', offset: 15 };
		assert.deepEqual(await asked(3), ['@subscribe', { topics: [{ topic: 't', since }] }, '@3']);
		await message(4, 40, 30);
		await message(2, 20, 15);
		await message(3, 30, 20);
		await stage.say('{"type":"@position","data":{"topic":"t","epoch":"e","offset":30,"recovered":true,"count":2}}');
		await stage.say('{"type":"@subscribe","correlationId":"@3","data":{"timestamp":1000001,"refused":[]}}');
		await message(4, 40, 30);
		await eventually(() => numbers.length === 4, 'all are heard');
		assert.deepEqual([numbers, recovered], [[1, 2, 3, 4], [{ recovered: true, count: 2 }]]);
		assert.deepEqual(client.positions, { t: { epoch: 'e', offset: 40 } });

		await message(9, 50, 40, 'another');
		const last = { epoch: 'e', offset: 40 };
		assert.deepEqual(await asked(4), ['@subscribe', { topics: [{ topic: 't', since: last }] }, '@4']);
		assert.equal(numbers.length, 4);
		assert.deepEqual(failuresOf(client), []);
	},

	'a server without the history of a topic passes on what others store of it, and all is heard': async (stage) => {
		await stage.serveRaw({ answers: false });
		const client = clientOf(stage);
		const connected = client.connect();
		await eventually(async () => (await stage.heard()).length === 1, 'it asks to be let in');
		await stage.say('{"type":"@auth","correlationId":"@1","data":{"socketId":"s","timestamp":1000000}}');
		await connected;
		const numbers: unknown[] = [];
		const subscribed = client.subscribe('t', { onMessage: (data) => numbers.push(data) });
		await eventually(async () => (await stage.heard()).length === 2, 'it asks for the topic');
		await stage.say('{"type":"@subscribe","correlationId":"@2","data":{"timestamp":1000000,"refused":[]}}');
		await subscribed;
		for (const [data, offset, prev] of [
			[1, 15, 10],
			[3, 30, 20],
		])
			await stage.say(
				JSON.stringify({ name: 'n', data, timestamp: 1, topic: 't', position: { epoch: 'e', offset, prev } }),
			);
		await eventually(() => numbers.length === 2, 'both are heard');
		assert.deepEqual([numbers, client.positions], [[1, 3], {}]);
		assert.equal((await stage.heard()).length, 2);
	},
};
