import { strict as assert } from 'node:assert';
import type { SocketClientOptions } from '../../index.ts';
import { assertRefused, eventually, isSettled, rejection } from '../assertions.ts';
import { MapStorage } from '../map-storage.ts';
import { PlayedServer } from '../played-server.ts';
import { failuresOf } from '../run-scenario.ts';
import type { Scenario, TestServer } from '../test-server.ts';

// Every order in which frames about topics that the server chooses can arrive, by a server that the scenario plays.

const at = (offset: number, epoch = 'e') => ({ epoch, offset });

async function play(server: TestServer, options?: SocketClientOptions): Promise<PlayedServer> {
	await server.serveRaw({ answers: false });
	return new PlayedServer(server, options);
}

async function playReady(server: TestServer, options?: SocketClientOptions): Promise<PlayedServer> {
	const played = await play(server, options);
	await played.ready();
	return played;
}

export const chosenTopicsInOrder: Record<string, Scenario> = {
	'a topic is chosen before the client is ready, and a waiting subscription is confirmed by it': async (server) => {
		const played = await play(server);
		const subscription = played.subscribe('t');
		const auth = await played.connect();
		await played.choose('t');
		await subscription;
		await played.message('t', 1);
		await played.accept(auth);
		await played.handled();
		assert.deepEqual(played.told, ['subscribed t both', 'own message 1', 'message t 1']);
	},

	'a connection is lost between the notice and ready: the gap begins at the notice at the latest': async (server) => {
		const played = await playReady(server);
		await played.choose('t');
		await played.handled();
		await played.lose();
		await played.next('@auth');
		const noticed = Date.now();
		await played.choose('t');
		await eventually(() => played.told.includes('gap t'), 'the gap is told');
		await server.network('cut');
		const auth = (await played.next('@auth')).correlationId;
		await played.choose('t');
		await played.accept(auth);
		await played.handled();
		assert.deepEqual(
			played.told.filter((one) => !one.includes('*')),
			['subscribed t server', 'gap t', 'gap t'],
		);
		const [, , since, until] = played.heard.filter((one) => (one as string[])[1] === 't').at(-1) as [
			0,
			0,
			number,
			number,
		];
		assert.ok(since <= noticed && until >= noticed, `${since} to ${until}, noticed at ${noticed}`);
	},

	'a late confirmation is a gap, and what else is missing is told once': async (server) => {
		const played = await playReady(server);
		const since = Date.now() - 60_000;
		await played.choose('t', { since });
		await played.handled();
		assert.deepEqual(played.told, ['gap t', 'subscribed t server']);
		const gap = played.heard[0] as [string, string, number, number];
		assert.ok(gap[2] <= since && gap[3] >= Date.now() - 1_000, String(gap));
	},

	'a notice during a pending @subscribe changes nothing until the answer': async (server) => {
		const played = await playReady(server);
		const subscription = played.subscribe('t');
		const { correlationId } = await played.next('@subscribe');
		await played.choose('t', { position: at(3) });
		await played.handled();
		assert.deepEqual([await isSettled(subscription), played.client.topics], [false, []]);
		await played.send('@position', { topics: ['t'], ...at(5), count: 0 });
		await played.answer('@subscribe', correlationId, { refused: [] });
		await subscription;
		assert.deepEqual(played.client.topics, [{ topic: 't', by: 'both', position: at(5) }]);
		await played.handled();
	},

	'@unsubscribed during a pending @subscribe is ignored if the answer confirms it': async (server) => {
		const played = await playReady(server);
		const subscription = played.subscribe('t');
		const { correlationId } = await played.next('@subscribe');
		await played.choose('t');
		await played.remove('t');
		await played.answer('@subscribe', correlationId, { refused: [] });
		await subscription;
		await played.handled();
		assert.deepEqual(played.told, ['subscribed t client']);
	},

	'a refusal with the code of a removal ends a subscription that was confirmed as the removal does': async (server) => {
		const played = await playReady(server);
		const subscription = played.subscribe('t');
		const { correlationId } = await played.next('@subscribe');
		await played.send('@position', { topics: ['t'], ...at(5), count: 0 });
		await played.answer('@subscribe', correlationId, { refused: [] });
		await subscription;
		await played.message('t', 1, { ...at(9), prev: 7 });
		const again = await played.next('@subscribe');
		await played.remove('t');
		await played.answer('@subscribe', again.correlationId, {
			refused: [{ topic: 't', code: 'kicked', message: 'bye' }],
		});
		await played.handled();
		assert.deepEqual(played.told, ['subscribed t client', 'unsubscribed t client kicked', 'onUnsubscribed kicked']);
	},

	'a topic that is chosen after its @subscribe was refused, and before the answer, is asked for again': async (
		server,
	) => {
		const played = await playReady(server);
		const subscription = played.subscribe('t');
		const { correlationId } = await played.next('@subscribe');
		await played.choose('t');
		await played.answer('@subscribe', correlationId, {
			refused: [{ topic: 't', code: 'forbidden', message: 'not yet' }],
		});
		const again = await played.next('@subscribe');
		await played.answer('@subscribe', again.correlationId, { refused: [] });
		await subscription;
		await played.handled();
		assert.deepEqual(played.told, ['subscribed t both']);
	},

	'… and removed before the second answer, it is refused for good': async (server) => {
		const played = await playReady(server);
		const subscription = played.subscribe('t');
		const { correlationId } = await played.next('@subscribe');
		await played.choose('t');
		const refused = [{ topic: 't', code: 'forbidden', message: 'not yet' }];
		await played.answer('@subscribe', correlationId, { refused });
		const again = await played.next('@subscribe');
		await played.remove('t');
		await played.answer('@subscribe', again.correlationId, { refused });
		assertRefused(await rejection(subscription), 'forbidden');
		await played.handled();
		assert.deepEqual([played.told, played.client.topics], [['onRefused forbidden'], []]);
	},

	'… and without a history that was asked for, it remains chosen': async (server) => {
		const played = await playReady(server, { reconnect: false });
		const errors = failuresOf(played.client);
		const subscription = played.subscribe('t', { rewind: 5 });
		const { correlationId } = await played.next('@subscribe');
		await played.choose('t');
		await played.answer('@subscribe', correlationId, {
			refused: [{ topic: 't', code: 'invalid_data', message: 'no history' }],
		});
		assertRefused(await rejection(subscription), 'invalid_data');
		const again = await played.next('@subscribe');
		assert.deepEqual(again.data, { topics: ['t'] });
		await played.answer('@subscribe', again.correlationId, { refused: [] });
		await played.handled();
		assert.deepEqual(played.told, ['onRefused invalid_data', 'subscribed t server']);
		assert.equal(errors.length, 1);
	},

	'a removal is not forgotten if the server did not examine the request that was pending': async (server) => {
		const played = await playReady(server);
		await played.choose('t', { position: at(5) });
		await played.handled();
		await played.subscribe('t');
		await played.message('t', 1, { ...at(9), prev: 7 });
		const { correlationId } = await played.next('@subscribe');
		await played.remove('t');
		const refused = [{ topic: 't', code: 'rate_limited', message: 'slowly' }];
		await played.answer('@subscribe', correlationId, { refused });
		await played.handled();
		assert.deepEqual(played.told.slice(2), [
			'subscribed t client',
			'unsubscribed t client kicked',
			'onUnsubscribed kicked',
		]);
	},

	'what is lost before the client is ready is told, although no answer has come before': async (server) => {
		const played = await play(server);
		const auth = await played.connect();
		await played.choose('t', { position: at(5) });
		await played.message('t', 1, { ...at(9), prev: 7 });
		await played.accept(auth);
		const { correlationId } = await played.next('@subscribe');
		await played.send('@position', { topics: ['t'], ...at(9), recovered: false, count: 0 });
		await played.answer('@subscribe', correlationId, { refused: [] });
		await played.handled();
		assert.deepEqual(played.told, ['subscribed t server', 'recovered t false 0', 'gap t']);
	},

	'a removal while the messages of a chosen topic are requested leaves nothing behind': async (server) => {
		const played = await play(server, { positions: { t: at(1) } });
		const auth = await played.connect();
		await played.choose('t', { position: at(5) });
		await played.accept(auth);
		const { data, correlationId } = await played.next('@subscribe');
		assert.deepEqual(data, { topics: [{ topic: 't', since: at(1) }] });
		await played.remove('t');
		await played.answer('@subscribe', correlationId, { refused: [] });
		// The server had removed it before the request, which has subscribed the client again.
		assert.deepEqual((await played.next('@unsubscribe')).data, { topics: ['t'] });
		assert.deepEqual(played.heard, []);
	},

	'a topic whose subscription was closed is chosen while @unsubscribe is pending: the client asks': async (server) => {
		const played = await playReady(server);
		const subscription = played.subscribe('t');
		await played.answer('@subscribe', (await played.next('@subscribe')).correlationId, { refused: [] });
		const { close } = await subscription;
		void close();
		const { correlationId } = await played.next('@unsubscribe');
		await played.choose('t');
		await played.answer('@unsubscribe', correlationId, { refused: [] });
		await played.answer('@subscribe', (await played.next('@subscribe')).correlationId, { refused: [] });
		await played.handled();
		assert.deepEqual(played.told, ['subscribed t client', 'unsubscribed t client', 'subscribed t server']);
	},

	'@unsubscribed that crosses @unsubscribe, or comes twice or for an unknown topic, is not told': async (server) => {
		const played = await playReady(server);
		const subscription = played.subscribe('t');
		await played.answer('@subscribe', (await played.next('@subscribe')).correlationId, { refused: [] });
		const { close } = await subscription;
		const closed = close();
		const { correlationId } = await played.next('@unsubscribe');
		await played.remove('t');
		await played.answer('@unsubscribe', correlationId, { refused: [] });
		await closed;
		await played.remove('t');
		await played.remove('unknown');
		await played.handled();
		assert.deepEqual(played.told, ['subscribed t client', 'unsubscribed t client']);
	},

	'a subscription that ended is told once, also with listeners that throw, close, or subscribe again': async (
		server,
	) => {
		const played = await playReady(server);
		const failures = failuresOf(played.client);
		await played.choose('t');
		await played.handled();
		const first = await played.subscribe('t', {
			onUnsubscribed() {
				played.heard.push('first');
				void first.close();
				throw new Error('simulated');
			},
		});
		await played.subscribe('t', {
			onUnsubscribed() {
				played.heard.push('second');
				void played.subscribe('t');
			},
		});
		await played.remove('t');
		const { correlationId } = await played.next('@subscribe');
		await played.remove('t');
		await played.answer('@subscribe', correlationId, { refused: [{ topic: 't', code: 'kicked', message: 'bye' }] });
		await played.handled();
		await first.close();
		assert.equal(played.heard.length, 6);
		assert.deepEqual(played.heard.slice(2), [
			['unsubscribed', 't', 'both', 'kicked'],
			'first',
			'second',
			['onRefused', 'kicked'],
		]);
		assert.deepEqual(
			failures.map(([stage, { message }]) => [stage, message]),
			[['handler', 'simulated']],
		);
	},

	'a loop takes the messages that wait, and ends when the server ends the subscription': async (server) => {
		const played = await playReady(server);
		await played.choose('t');
		await played.handled();
		const subscription = await played.client.subscribe('t');
		for (const n of [1, 2, 3]) await played.message('t', n);
		await played.remove('t');
		await played.handled();
		const looped: unknown[] = [];
		for await (const { data } of subscription) looped.push(data);
		assert.deepEqual(looped, [1, 2, 3]);
	},

	'a subscription that waits for its rewind rejects when the server ends it': async (server) => {
		const played = await playReady(server);
		await played.choose('t', { position: at(5) });
		await played.handled();
		const subscription = played.subscribe('t', { rewind: 2 });
		const { correlationId } = await played.next('@history');
		await played.remove('t');
		assertRefused(await rejection(subscription), 'kicked');
		await played.answer('@history', correlationId, { messages: [], ...at(5), hasMore: false, recovered: true });
		await played.handled();
		assert.deepEqual(played.told.slice(2), ['unsubscribed t both kicked', 'onRefused kicked']);
	},

	'a position that is the same means that nothing was missed, without a request': async (server) => {
		const played = await playReady(server);
		await played.choose('t', { position: at(5) });
		await played.message('t', 1, { ...at(9), prev: 5 });
		await played.handled();
		await played.lose();
		const auth = (await played.next('@auth')).correlationId;
		await played.choose('t', { position: at(9) });
		await played.message('t', 2, { ...at(12), prev: 9 });
		await played.accept(auth);
		await played.handled();
		assert.deepEqual(
			played.told.filter((one) => !one.includes('*')),
			['subscribed t server', 'message t 1', 'recovered t true 0', 'message t 2'],
		);
	},

	'a chosen topic whose recovery is refused for now is requested again': async (server) => {
		const played = await play(server, { positions: { t: at(1) } });
		const auth = await played.connect();
		await played.choose('t', { position: at(5) });
		await played.accept(auth);
		const { correlationId } = await played.next('@subscribe');
		await played.message('t', 3, { ...at(9), prev: 5 });
		await played.answer('@subscribe', correlationId, { refused: [{ topic: 't', code: 'rate_limited', message: '' }] });
		const again = await played.next('@subscribe');
		await played.message('t', 2, { ...at(5), prev: 1 });
		await played.message('t', 3, { ...at(9), prev: 5 });
		await played.send('@position', { topics: ['t'], ...at(9), recovered: true, count: 2 });
		await played.answer('@subscribe', again.correlationId, { refused: [] });
		await played.handled();
		assert.deepEqual(played.told, ['message t 2', 'message t 3', 'recovered t true 2', 'subscribed t server']);
	},

	'a chosen topic whose recovery fails remains chosen, and is requested again': async (server) => {
		const played = await play(server, { positions: { t: at(1) } });
		const auth = await played.connect();
		await played.choose('t', { position: at(5) });
		await played.accept(auth);
		const { correlationId } = await played.next('@subscribe');
		const refused = [{ topic: 't', code: 'unavailable', message: 'try again' }];
		await played.answer('@subscribe', correlationId, { refused });
		await played.message('t', 3, { ...at(9), prev: 5 });
		const again = await played.next('@subscribe');
		assert.deepEqual(again.data, { topics: [{ topic: 't', since: at(1) }] });
		await played.message('t', 2, { ...at(5), prev: 1 });
		await played.message('t', 3, { ...at(9), prev: 5 });
		await played.send('@position', { topics: ['t'], ...at(9), recovered: true, count: 2 });
		await played.answer('@subscribe', again.correlationId, { refused: [] });
		await played.handled();
		assert.deepEqual(played.told, ['message t 2', 'message t 3', 'recovered t true 2', 'subscribed t server']);
	},

	'a listener that closes the client ends the notice, and a later connection misses nothing silently': async (
		server,
	) => {
		const played = await playReady(server);
		for (const topic of ['t', 'u']) await played.choose(topic);
		await played.handled();
		await played.lose();
		const off = played.client.onGap(({ topic }) => topic === 't' && void played.client.close());
		await played.next('@auth');
		const topics = [{ topic: 't' }, { topic: 'u' }];
		await played.send('@subscribed', { timestamp: Date.now(), topics });
		await eventually(() => played.client.state === 'closed', 'the client is closed');
		off();
		await server.kill();
		await server.serveRaw({ answers: false });
		const heard = played.heard.length;
		played.forget();
		await played.connect();
		await played.send('@subscribed', { timestamp: Date.now(), topics });
		await eventually(() => played.told.slice(heard).includes('gap u'), 'the gap is told');
		assert.ok(played.told.slice(heard).includes('gap t'));
	},

	'positions of chosen topics are stored, also without a message': async (server) => {
		const positions = new MapStorage();
		const played = await playReady(server, { positions });
		await played.choose('t', { position: at(5) });
		await played.handled();
		await played.client.close();
		assert.deepEqual(
			[...positions.values].map(([key, value]) => [key.split(' ').at(-1), JSON.parse(value)[1]]),
			[['t', at(5)]],
		);
	},

	'notices that make no sense are not notices': async (server) => {
		const played = await playReady(server);
		const raw: unknown[] = [];
		played.client.onRaw((data) => raw.push(data));
		const timestamp = Date.now();
		const senseless: [string, unknown][] = [
			['@subscribed', null],
			['@subscribed', { timestamp }],
			['@subscribed', { topics: [{ topic: 't' }] }],
			['@subscribed', { timestamp, topics: ['t'] }],
			['@subscribed', { timestamp, topics: [null] }],
			['@subscribed', { timestamp, topics: [{ topic: 5 }] }],
			['@subscribed', { timestamp, topics: [{ topic: 't', position: { epoch: 1 } }] }],
			['@subscribed', { timestamp, topics: [{ topic: 't', since: 'now' }] }],
			['@unsubscribed', undefined],
			['@unsubscribed', { topics: 't' }],
			['@unsubscribed', { topics: [{ topic: 't' }] }],
		];
		for (const [type, data] of senseless) await played.send(type, data as object);
		await played.handled();
		assert.deepEqual([raw.length, played.heard], [senseless.length + 1, []]);
	},
};
