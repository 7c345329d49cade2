import { strict as assert } from 'node:assert';
import type { GapNotice, RecoveredTopic, SocketClient, TopicChange, Unsubscribed } from '../../index.ts';
import { assertRefused, eventually, rejection } from '../assertions.ts';
import { MapStorage } from '../map-storage.ts';
import { Numbered } from '../messages.ts';
import { failuresOf, newClient, readyClient } from '../run-scenario.ts';
import type { Scenario, TestServer } from '../test-server.ts';

const LONG = 'long:chosen';
const SHORT = 'short:chosen';

interface Heard {
	readonly numbers: number[];
	readonly gaps: GapNotice[];
	readonly recovered: RecoveredTopic[];
	readonly changes: TopicChange[];
}

/** Records what a client receives, whatever the topic. */
export function listenTo(client: SocketClient): Heard {
	const heard: Heard = { numbers: [], gaps: [], recovered: [], changes: [] };
	client.on(Numbered, ({ n }) => heard.numbers.push(n));
	client.onGap((gap) => gap.topic !== '*' && heard.gaps.push(gap));
	client.onRecovered((recovered) => heard.recovered.push(recovered));
	client.onTopicsChange((change) => heard.changes.push(change));
	return heard;
}

async function loseConnection(server: TestServer, meanwhile: () => Promise<void>): Promise<void> {
	await server.network('refuse');
	await server.network('cut');
	await meanwhile();
	await server.network('accept');
}

const namesOf = (client: SocketClient): string[] => client.topics.map(({ topic, by }) => `${topic} ${by}`);

export const chosenTopics: Record<string, Scenario> = {
	'topics that the server chooses are known when the client is ready, and their messages arrive': async (server) => {
		await server.choose(['room', LONG]);
		await server.serve();
		const client = newClient(server);
		const heard = listenTo(client);
		await client.connect();
		assert.deepEqual(namesOf(client).toSorted(), [`${LONG} server`, 'room server']);
		await server.emit('room', 1);
		await server.emit(LONG, 2);
		await eventually(() => heard.numbers.length === 2, 'both messages arrive');
		assert.deepEqual(Object.keys(client.positions), [LONG]);
		assert.deepEqual(client.topics.find(({ topic }) => topic === LONG)?.position, client.positions[LONG]);
		assert.deepEqual(heard.changes.map(({ topic, type, by }) => `${topic} ${type} ${by}`).toSorted(), [
			`${LONG} subscribed server`,
			'room subscribed server',
		]);
	},

	'missed messages of a chosen topic with history arrive, once and in order': async (server) => {
		await server.choose([LONG]);
		await server.serve();
		const client = newClient(server);
		const heard = listenTo(client);
		await client.connect();
		await server.emitAll(LONG, [1, 2]);
		await eventually(() => heard.numbers.length === 2, 'two messages arrive');
		for (const missed of [[3, 4], [5]]) {
			await loseConnection(server, () => server.emitAll(LONG, missed));
			await eventually(() => heard.recovered.at(-1)?.count === missed.length, 'they are recovered');
		}
		await server.emit(LONG, 6);
		await eventually(() => heard.numbers.at(-1) === 6, 'the live message arrives');
		assert.deepEqual(heard.numbers, [1, 2, 3, 4, 5, 6]);
		assert.deepEqual(heard.recovered, [
			{ topic: LONG, recovered: true, count: 2 },
			{ topic: LONG, recovered: true, count: 1 },
		]);
		assert.deepEqual([heard.gaps, heard.changes.length], [[], 1]);
	},

	'what was missed of a chosen topic arrives once it can be read, and the topic remains chosen': async (server) => {
		await server.choose([LONG]);
		await server.serve();
		const client = newClient(server);
		const heard = listenTo(client);
		const failures = failuresOf(client);
		await client.connect();
		await server.emit(LONG, 1);
		await eventually(() => heard.numbers.length === 1, 'the message arrives');
		await server.breakHistory(true);
		await loseConnection(server, () => server.emitAll(LONG, [2, 3]));
		await eventually(() => failures.length > 0, 'the client is told that they can’t be read');
		await server.emit(LONG, 4);
		assert.match(String(failures[0]?.[1]), /unavailable/);
		await server.breakHistory(false);
		await eventually(() => heard.recovered.length > 0, 'they are recovered');
		await server.emit(LONG, 5);
		await eventually(() => heard.numbers.at(-1) === 5, 'the live message arrives');
		assert.deepEqual(heard.numbers, [1, 2, 3, 4, 5]);
		assert.deepEqual([heard.gaps, heard.changes.length], [[], 1]);
	},

	'a gap of a chosen topic is told if its history no longer has what was missed': async (server) => {
		await server.choose([SHORT]);
		await server.serve();
		const client = newClient(server);
		const heard = listenTo(client);
		await client.connect();
		await server.emit(SHORT, 1);
		await eventually(() => heard.numbers.length === 1, 'the message arrives');
		await loseConnection(server, () => server.emitAll(SHORT, [2, 3, 4, 5, 6, 7]));
		await eventually(() => heard.gaps.length > 0, 'the gap is told');
		assert.deepEqual(heard.recovered, [{ topic: SHORT, recovered: false, count: 0 }]);
		assert.deepEqual([heard.numbers, heard.gaps.map(({ topic }) => topic)], [[1], [SHORT]]);
	},

	'a gap of a chosen topic without history is told, and contains what was missed': async (server) => {
		await server.choose(['room']);
		await server.serve();
		const client = newClient(server);
		const heard = listenTo(client);
		await client.connect();
		await server.publishSteadily('room');
		await eventually(() => heard.numbers.length > 5, 'messages arrive');
		await server.network('cut');
		await eventually(() => heard.gaps.length > 0, 'the gap is told');
		const before = heard.numbers.length;
		await eventually(() => heard.numbers.length > before + 5, 'messages arrive again');
		const published = await server.stopPublishing();
		const [gap] = heard.gaps;
		const silent = published
			.slice(0, (heard.numbers.at(-1) ?? 0) + 1)
			.filter(({ n, at }) => !heard.numbers.includes(n) && (at < (gap?.since ?? 0) || at > (gap?.until ?? 0)));
		assert.deepEqual([silent, heard.gaps.length, heard.changes.length], [[], 1, 1]);
	},

	'subscribing to a chosen topic needs no permission, and closing does not end it': async (server) => {
		await server.choose(['room']);
		await server.forbid(['room']);
		await server.serve();
		const client = await readyClient(server);
		const heard = listenTo(client);
		const numbers: unknown[] = [];
		const subscription = await client.subscribe('room', { onMessage: (data) => numbers.push(data) });
		assert.deepEqual(namesOf(client), ['room both']);
		await server.emit('room', 1);
		await eventually(() => heard.numbers.length === 1, 'the message arrives');
		await subscription.close();
		assert.deepEqual(namesOf(client), ['room server']);
		await server.emit('room', 2);
		await eventually(() => heard.numbers.length === 2, 'the message arrives');
		assert.deepEqual(numbers, [{ n: 1 }]);
		assert.deepEqual(
			heard.changes.map(({ type, by }) => `${type} ${by}`),
			['subscribed both', 'subscribed server'],
		);
	},

	'a subscription to a chosen topic can rewind': async (server) => {
		await server.emitAll(LONG, [1, 2, 3]);
		await server.choose([LONG]);
		await server.serve();
		const client = await readyClient(server);
		const heard = listenTo(client);
		const numbers: number[] = [];
		const onMessage = (data: unknown): unknown => numbers.push((data as { n: number }).n);
		await client.subscribe(LONG, { rewind: 2, onMessage });
		await server.emit(LONG, 4);
		await eventually(() => numbers.length === 3, 'the live message arrives');
		assert.deepEqual([numbers, heard.numbers], [[2, 3, 4], [4]]);
	},

	'a subscription that the server ends is told so once, and subscribing again asks again': async (server) => {
		await server.serve();
		for (const topic of ['room', LONG]) {
			const client = await readyClient(server);
			const { changes } = listenTo(client);
			const told: Unsubscribed[] = [];
			const subscription = await client.subscribe(topic, { onUnsubscribed: (why) => told.push(why) });
			const looped: unknown[] = [];
			const loop = (async () => {
				for await (const { data } of subscription) looped.push(data);
			})();
			await server.emit(topic, 1);
			await eventually(() => looped.length === 1, 'the message arrives');
			await server.remove(topic, 'kicked');
			await loop;
			assert.deepEqual(told, [{ code: 'kicked', message: 'simulated' }]);
			assert.deepEqual([client.topics, client.positions], [[], {}]);
			assert.deepEqual(changes.at(-1), {
				topic,
				type: 'unsubscribed',
				by: 'client',
				code: 'kicked',
				message: 'simulated',
			});
			const numbers: unknown[] = [];
			await client.subscribe(topic, { onMessage: (data) => numbers.push(data) });
			await server.emit(topic, 2);
			await eventually(() => numbers.length === 1, 'messages arrive again');
			await server.forbid([topic]);
			await server.remove(topic, 'kicked');
			await eventually(() => client.topics.length === 0, 'the client is told again');
			assertRefused(await rejection(client.subscribe(topic)), 'forbidden');
			assert.equal(told.length, 1);
			await client.close();
		}
	},

	'what the server no longer chooses after a reconnect has ended': async (server) => {
		await server.choose(['room', 'other']);
		await server.serve();
		const client = await readyClient(server);
		const { changes } = listenTo(client);
		await server.kill();
		await server.serve();
		await client.connect();
		assert.deepEqual([client.topics.length, changes], [2, []]);
		await loseConnection(server, () => server.remove('other', 'gone'));
		await eventually(() => changes.length > 0, 'the change is told');
		const [{ topic, type, by, code } = {}] = changes as Partial<TopicChange>[];
		assert.deepEqual([topic, type, by, code], ['other', 'unsubscribed', 'server', 'disconnected']);
		assert.deepEqual(namesOf(client), ['room server']);
	},

	'what the server chooses later, after a reconnect, continues from where it was': async (server) => {
		await server.choose([LONG, 'room']);
		await server.serve();
		const client = newClient(server);
		const heard = listenTo(client);
		await client.connect();
		await server.emit(LONG, 1);
		await eventually(() => heard.numbers.length === 1, 'the message arrives');
		await loseConnection(server, async () => {
			await server.remove(LONG, 'gone');
			await server.remove('room', 'gone');
			await server.emit(LONG, 2);
		});
		await eventually(() => client.topics.length === 0 && client.state === 'ready', 'the client is in no topic');
		await server.choose([LONG, 'room']);
		await eventually(() => heard.numbers.length === 2, 'the missed message arrives');
		await eventually(() => heard.gaps.length === 1, 'the gap is told');
		assert.deepEqual(heard.recovered, [{ topic: LONG, recovered: true, count: 1 }]);
		assert.equal(heard.gaps[0]?.topic, 'room');
	},

	'a chosen topic resumes from a stored position': async (server) => {
		await server.choose([LONG]);
		await server.serve();
		const positions = new MapStorage();
		const first = newClient(server, { positions });
		const before = listenTo(first);
		await first.connect();
		await server.emitAll(LONG, [1, 2]);
		await eventually(() => before.numbers.length === 2, 'two messages arrive');
		await first.close();
		await server.emit(LONG, 3);
		const second = newClient(server, { positions });
		const after = listenTo(second);
		await second.connect();
		await server.emit(LONG, 4);
		await eventually(() => after.numbers.at(-1) === 4, 'the live message arrives');
		assert.deepEqual([after.numbers, after.gaps], [[3, 4], []]);
		assert.deepEqual(failuresOf(second), []);
	},
};
