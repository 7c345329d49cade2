import { strict as assert } from 'node:assert';
import { assertRefused, eventually, isSettled, rejection } from '../assertions.ts';
import { members, PlayedPresence, version } from '../played-presence.ts';
import { PresenceLog } from '../presence-log.ts';
import { failuresOf } from '../run-scenario.ts';
import type { Scenario } from '../test-server.ts';

export const presenceFrames: Record<string, Scenario> = {
	'tells everyone who is there, and then what changes': async (server) => {
		const played = await PlayedPresence.start(server);
		const log = played.watch();
		const { handle } = log;
		assert.deepEqual([handle.members, handle.count, handle.isStale, handle.isClosed], [[], undefined, true, false]);
		await played.watched(1, 'b c');
		await handle.ready;
		await played.change(1, 3, { count: 2, joined: members('a'), left: ['c'], updated: members('b') });
		await played.change(3, 4, { count: 2, updated: [{ ...members('b')[0], connections: 2 }] });
		await played.handled();
		// What was known already is no change.
		assert.deepEqual(log.told, ['+b +c =2', '+a -c =2', '~b =2']);
		assert.deepEqual([log.keys, handle.count, handle.isStale, handle.areMembersKnown], [['a', 'b'], 2, false, true]);
		assert.equal(handle.members[1]?.connections, 2);
		assert.deepEqual(log.changes[1]?.left, members('c'));
		assert.equal(log.changes[2]?.members, handle.members);
	},

	'ignores changes that are old, and asks again after one that does not follow': async (server) => {
		const played = await PlayedPresence.start(server);
		const log = played.watch();
		await played.watched(5, 'a');
		await played.change(3, 4, { joined: members('old') });
		await played.change(4, 6, { count: 2, joined: members('b') });
		await played.change(6, 6, { count: 3, joined: members('c') });
		await played.handled();
		assert.deepEqual(log.told, ['+a =1', '+b =2', '+c =3']);
		await played.change(7, 8, { count: 4, joined: members('d') });
		await played.watched(9, 'b c e');
		await played.handled();
		assert.deepEqual(log.told.slice(3), ['+e -a =3']);
		await played.send('@presence', { topic: 't', version: version(1, 'f'), previous: version(1, 'f'), count: 1 });
		await played.watched(2, 'b', { version: version(2, 'f') });
		await played.change(9, 10, { joined: members('of another epoch') });
		await played.watched(2, 'b', { version: version(2, 'f') });
		await played.handled();
		assert.deepEqual(log.told.slice(4), ['-c -e =1']);
	},

	'changes that come before the answer are applied only if they follow it': async (server) => {
		const played = await PlayedPresence.start(server);
		const log = played.watch();
		await eventually(async () => (await server.received()).some(({ text }) => text.includes('@watch')), '@watch');
		await played.change(1, 2, { joined: members('old') });
		await played.change(2, 3, { count: 1, joined: members('a') });
		await played.watched(3, 'a');
		await played.change(3, 4, { count: 2, joined: members('b') });
		await played.handled();
		assert.deepEqual(log.told, ['+a =1', '+b =2']);
	},

	'reads pages, and applies what changes meanwhile': async (server) => {
		const played = await PlayedPresence.start(server);
		const log = played.watch();
		await played.watched(1, 'a b', { count: 5, hasMore: true });
		const second = await played.next('@watch');
		assert.deepEqual(second.data, { topic: 't', after: 'b' });
		await played.change(1, 2, { count: 5, joined: members('z'), left: ['a'], updated: members('c') });
		// The page is newer than the change.
		const page = { topic: 't', version: version(3), count: 5, members: members('c', 'd'), hasMore: true };
		await played.answer('@watch', second.correlationId, page);
		const third = await played.next('@watch');
		assert.equal(third.data.after, 'd');
		assert.deepEqual([log.told, log.handle.count], [[], undefined]);
		await played.answer('@watch', third.correlationId, { ...page, members: members('e', 'z'), hasMore: undefined });
		await log.handle.ready;
		await played.change(2, 3, { count: 5, updated: members('d') });
		await played.handled();
		assert.deepEqual([log.told, log.keys], [['+b +c +d +e +z =5'], ['b', 'c', 'd', 'e', 'z']]);
	},

	'begins again with pages that do not belong together': async (server) => {
		const played = await PlayedPresence.start(server);
		const log = played.watch();
		const first = { count: 2, hasMore: true };
		const wrong = [
			{ version: version(1, 'f'), members: [] },
			{ version: version(3), members: [] },
			{ version: version(4), members: undefined },
		];
		for (const page of wrong) {
			await played.watched(4, 'a', first);
			const { data, correlationId } = await played.next('@watch');
			assert.deepEqual(data, { topic: 't', after: 'a' });
			await played.answer('@watch', correlationId, { topic: 't', count: 2, ...page });
		}
		await played.watched(4, 'a', first);
		const { correlationId } = await played.next('@watch');
		await played.change(8, 9, { joined: members('b') });
		await played.answer('@watch', correlationId, { topic: 't', version: version(9), count: 2, members: members('b') });
		await played.watched(9, 'a', first);
		await played.refuse('@watch', 'not_watched');
		assert.deepEqual(log.told, []);
		await played.watched(10, 'a b');
		await played.handled();
		assert.deepEqual(log.told, ['+a +b =2']);
	},

	'knows only the count, and the members again': async (server) => {
		const played = await PlayedPresence.start(server);
		const log = played.watch();
		await played.watched(1, 'a b');
		await played.change(1, 2, { count: 1_001, isCountOnly: true });
		await played.change(2, 3, { count: 1_002, isCountOnly: true });
		await played.handled();
		assert.deepEqual([log.handle.members, log.handle.count, log.handle.areMembersKnown], [[], 1_002, false]);
		await played.change(3, 4, { count: 3 });
		await played.watched(4, 'a b c');
		await played.handled();
		assert.deepEqual(log.told, ['+a +b =2', '=1001 unnamed', '=1002 unnamed', '+a +b +c =3']);
		const other = new PresenceLog(played.client, 'other');
		await played.watched(1, '', { topic: 'other', count: 5_000, members: undefined });
		await other.handle.ready;
		await played.send('@presence', {
			topic: 'other',
			version: version(2),
			previous: version(1),
			count: 4_999,
			isCountOnly: true,
		});
		await played.handled();
		assert.deepEqual(other.told, ['=5000 unnamed', '=4999 unnamed']);
	},

	'tells that the server is cut off from others, and no longer': async (server) => {
		const played = await PlayedPresence.start(server);
		const log = played.watch();
		await played.watched(1, 'a');
		await played.change(1, 2, { count: 1, isStale: true });
		await played.change(2, 3, { count: 1, isStale: true });
		await played.change(3, 4, { count: 2, isStale: true, joined: members('b') });
		await played.change(4, 5, { count: 2 });
		await played.handled();
		assert.deepEqual(log.told, ['+a =1', '=1 stale', '+b =2 stale', '=2']);
	},

	'after a reconnect, only the difference is told': async (server) => {
		const played = await PlayedPresence.start(server);
		const log = played.watch();
		await played.watched(7, 'a b c');
		await log.handle.ready;
		await played.lose();
		assert.deepEqual([log.handle.isStale, log.keys], [true, ['a', 'b', 'c']]);
		const late = played.watch();
		await eventually(() => late.keys.length === 3, 'a handle that is opened now has what was known');
		await played.ready();
		const { data, correlationId } = await played.next('@watch');
		assert.deepEqual(data, { topic: 't' });
		const changed = [...members('a'), { ...members('b')[0], info: { status: 'away' } }, ...members('d')];
		await played.answer('@watch', correlationId, { topic: 't', version: version(1, 'f'), count: 3, members: changed });
		await played.handled();
		assert.deepEqual(log.told, ['+a +b +c =3', '=3 stale', '+d -c ~b =3']);
		assert.deepEqual(late.told, ['+a +b +d =3']);
		await played.lose();
		await played.ready();
		const again = await played.next('@watch');
		await played.answer('@watch', again.correlationId, {
			topic: 't',
			version: version(1, 'f'),
			count: 3,
			members: changed,
		});
		await played.handled();
		assert.deepEqual(log.told.slice(3), ['=3 stale', '=3']);
	},

	'handles of one topic share a watch': async (server) => {
		const played = await PlayedPresence.start(server);
		const [first, second] = [played.watch(), played.watch()];
		await played.watched(1, 'a');
		await Promise.all([first.handle.ready, second.handle.ready]);
		const third = played.watch();
		await third.handle.ready;
		await played.change(1, 2, { count: 2, joined: members('b') });
		await played.handled();
		for (const { told, keys } of [first, second, third])
			assert.deepEqual(
				[told, keys],
				[
					['+a =1', '+b =2'],
					['a', 'b'],
				],
			);
		first.handle.close();
		second.handle.close();
		await played.change(2, 3, { count: 1, left: ['a'] });
		await played.handled();
		assert.deepEqual([first.told.length, second.keys, third.told.at(-1)], [2, ['a', 'b'], '-a =1']);
		third.handle.close();
		await played.answer('@unwatch', (await played.next('@unwatch')).correlationId);
		await played.change(3, 4, { count: 2, joined: members('c') });
		await played.handled();
		assert.deepEqual([third.handle.isClosed, third.keys], [true, ['b']]);
	},

	'a handle that is closed at once, or whose signal is aborted, costs nothing': async (server) => {
		const played = await PlayedPresence.start(server);
		const { handle } = played.watch();
		handle.close();
		handle.close();
		assertRefused(await rejection(handle.ready), 'closed');
		const reason = new Error('left the page');
		const aborted = new PresenceLog(played.client, 't', { signal: AbortSignal.abort(reason) });
		assert.equal(await rejection(aborted.handle.ready), reason);
		await played.handled();
		const abort = new AbortController();
		const log = new PresenceLog(played.client, 't', { signal: abort.signal });
		await played.watched(1, 'a');
		await log.handle.ready;
		abort.abort();
		assert.equal(log.handle.isClosed, true);
		await played.next('@unwatch');
		// One that is closed while its request is pending is ended once that is answered.
		const pending = played.watch();
		const { correlationId } = await played.next('@watch');
		pending.handle.close();
		await played.handled();
		await played.answer('@watch', correlationId, { topic: 't', version: version(1), count: 1, members: members('a') });
		await played.next('@unwatch');
		assert.deepEqual(pending.told, []);
	},

	'a handle that is opened while another is being closed uses its watch': async (server) => {
		const played = await PlayedPresence.start(server);
		const first = played.watch();
		const { correlationId } = await played.next('@watch');
		first.handle.close();
		await played.handled();
		const second = played.watch();
		await played.answer('@watch', correlationId, { topic: 't', version: version(1), count: 1, members: members('a') });
		await second.handle.ready;
		second.handle.close();
		const third = played.watch();
		await third.handle.ready;
		await played.handled();
		assert.deepEqual([first.told, second.told, third.told], [[], ['+a =1'], ['+a =1']]);
	},

	'waits until the client is in the topic': async (server) => {
		const played = await PlayedPresence.start(server);
		const log = played.watch();
		await played.refuse('@watch', 'not_subscribed');
		await played.handled();
		await played.choose('t');
		await played.watched(1, 'a');
		await log.handle.ready;
		await played.remove('t');
		await played.refuse('@watch', 'not_subscribed');
		await played.handled();
		assert.deepEqual(log.told, ['+a =1', '=1 stale']);
		void played.client.subscribe('t');
		await played.answer('@subscribe', (await played.next('@subscribe')).correlationId);
		await played.watched(4, 'a b');
		await played.handled();
		assert.deepEqual(log.told.slice(2), ['+b =2']);
	},

	'asks once it is in a topic that it subscribes to at the same time': async (server) => {
		const played = await PlayedPresence.start(server);
		const log = played.watch();
		const subscription = played.client.subscribe('t');
		const { correlationId } = await played.next('@subscribe');
		await played.handled();
		await played.answer('@subscribe', correlationId);
		await played.watched(1, 'a');
		await log.handle.ready;
		// Others may see it too, if the server says so.
		const closed = (await subscription).close();
		await played.answer('@unsubscribe', (await played.next('@unsubscribe')).correlationId);
		await closed;
		await played.watched(2, '');
		await played.handled();
		assert.deepEqual(log.told, ['+a =1', '-a =0']);
		await played.lose();
		void played.client.subscribe('t').catch(() => {});
		await played.ready();
		await played.refuse('@subscribe', 'forbidden');
		await played.watched(3, 'c');
		await played.handled();
		assert.deepEqual(log.told.slice(2), ['=0 stale', '+c =1']);
	},

	'a membership that ends while the members are requested is no refusal': async (server) => {
		const played = await PlayedPresence.start(server);
		const log = played.watch();
		await played.refuse('@watch', 'not_subscribed');
		await played.choose('t');
		const { correlationId } = await played.next('@watch');
		await played.remove('t');
		await played.choose('t');
		await played.refuseRequest('@watch', correlationId, 'kicked');
		await played.watched(1, 'a');
		await log.handle.ready;
	},

	'a refusal ends all handles, and is told': async (server) => {
		for (const code of ['forbidden', 'not_kept', 'too_many_topics', 'of_the_application']) {
			const played = await PlayedPresence.start(server);
			const failures = failuresOf(played.client);
			const logs = [played.watch(), played.watch()];
			const updating = logs[0]?.handle.update({ a: 1 });
			await played.refuse('@watch', code);
			for (const { handle, told } of logs) {
				const error = await rejection(handle.ready);
				assertRefused(error, code);
				assert.match(error.message, /@watch t /);
				assert.deepEqual([handle.isClosed, told], [true, []]);
				assert.equal(await rejection(handle.update({})), error);
			}
			assertRefused(await rejection(updating as Promise<void>), code);
			assert.deepEqual(
				failures.map(([stage, error]) => [stage, (error as { code?: string }).code]),
				[['presence', code]],
			);
			await played.handled();
			await played.client.close();
		}
	},

	'the server can end a watch': async (server) => {
		const played = await PlayedPresence.start(server);
		const failures = failuresOf(played.client);
		const log = played.watch();
		await played.watched(1, 'a');
		await played.send('@unwatched', { topic: 't', code: 'forbidden', message: 'No longer' });
		await eventually(() => log.handle.isClosed, 'the handle is closed');
		assert.deepEqual([log.keys, failures.length], [['a'], 1]);
		await played.handled();
	},

	'a server that can not answer now is asked again': async (server) => {
		const played = await PlayedPresence.start(server);
		const log = played.watch();
		const started = performance.now();
		await played.refuse('@watch', 'unavailable');
		assert.equal(await isSettled(log.handle.ready), false);
		await played.watched(1, 'a');
		await log.handle.ready;
		assert.ok(performance.now() - started >= 990);
	},

	'a handle that is not ready yet ends with the client': async (server) => {
		const played = await PlayedPresence.start(server);
		const known = played.watch();
		await played.watched(1, 'a');
		await known.handle.ready;
		const waiting = new PresenceLog(played.client, 'other');
		await played.next('@watch');
		const update = waiting.handle.update({ a: 1 });
		await played.client.close();
		for (const promise of [waiting.handle.ready, update])
			assert.equal((await rejection(promise)).name, 'ClientClosedError');
		assert.deepEqual([waiting.handle.isClosed, known.handle.isClosed, known.handle.isStale], [true, false, true]);
		const failures = failuresOf(played.client);
		const late = new PresenceLog(played.client, 't');
		assert.equal((await rejection(late.handle.ready)).name, 'ClientClosedError');
		assert.equal(failures.length, 1);
		assert.equal((await rejection(known.handle.update({}))).name, 'ClientClosedError');
		await played.ready();
		await played.watched(1, 'a');
		await played.handled();
		assert.deepEqual(known.told, ['+a =1', '=1']);
	},

	'nothing is told when the application closes the client, and the rest once it is connected again': async (server) => {
		const played = await PlayedPresence.start(server);
		const log = played.watch();
		await played.watched(1, 'a b');
		await log.handle.ready;
		await played.client.close();
		assert.deepEqual([log.told, log.handle.isStale, log.handle.isClosed], [['+a +b =2'], true, false]);
		await played.ready();
		await played.watched(2, 'b c');
		await played.handled();
		assert.deepEqual(log.told.slice(1), ['+c -a =2']);
		// One that is closed before is told nothing either.
		log.handle.close();
		await played.next('@unwatch');
		await played.client.close();
		assert.equal(log.told.length, 2);
	},

	'survives frames and answers that make no sense': async (server) => {
		const played = await PlayedPresence.start(server);
		const log = played.watch();
		await played.watched(1, 'a');
		await log.handle.ready;
		const valid = { topic: 't', version: version(2), previous: version(1), count: 1 };
		const invalid = [
			null,
			{},
			{ ...valid, version: undefined },
			{ ...valid, previous: { epoch: 5, n: 1 } },
			{ ...valid, count: '1' },
			{ ...valid, joined: {} },
			{ ...valid, updated: [null] },
			{ ...valid, left: [5] },
		];
		for (const data of invalid) await server.sendRaw(JSON.stringify({ type: '@presence', data }));
		await played.send('@presence', { ...valid, topic: 'unknown' });
		await played.send('@unwatched', { topic: 'unknown', code: 'forbidden' });
		await played.change(1, 2, { count: 2, joined: members('__proto__'), left: ['toString'] });
		await played.handled();
		assert.deepEqual(log.told, ['+a =1', '+__proto__ =2']);
		const other = new PresenceLog(played.client, 'other');
		await played.answer('@watch', (await played.next('@watch')).correlationId, { members: 5 });
		await played.watched(1, 'b', { topic: 'other' });
		await other.handle.ready;
	},

	'a listener that fails or closes the client does not disturb the others': async (server) => {
		const played = await PlayedPresence.start(server);
		const failures = failuresOf(played.client);
		const failing = new PresenceLog(played.client, 't', {
			onChange: () => {
				throw new Error('simulated');
			},
		});
		const closing = new PresenceLog(played.client, 't', {
			onChange: ({ count }) => count === 2 && void played.client.close(),
		});
		const last = played.watch();
		await played.watched(1, 'a');
		await last.handle.ready;
		await played.change(1, 2, { count: 2, joined: members('b') });
		await eventually(() => last.handle.isStale, 'the client is closed');
		// Once it is closed, nothing is told.
		for (const { told } of [failing, closing]) assert.deepEqual(told, ['+a =1', '+b =2']);
		assert.deepEqual([last.told, last.keys], [['+a =1'], ['a', 'b']]);
		assert.deepEqual(
			failures.map(([stage]) => stage),
			['handler', 'handler'],
		);
	},

	'invalid arguments are told with their names': async (server) => {
		const played = await PlayedPresence.start(server);
		const failures = failuresOf(played.client);
		const calls: [string, object, string, RegExp][] = [
			['not valid', {}, 'InvalidTopicError', /not valid/],
			['t', { onChange: 5 }, 'InvalidClientOptionError', /presence\.onChange must be a function/],
			['t', { onchange: () => {} }, 'InvalidClientOptionError', /one of onChange, onRefused, schema, members, signal/],
			['t', { members: 0 }, 'InvalidClientOptionError', /presence\.members must be true or false/],
			['t', { schema: {} }, 'InvalidClientOptionError', /presence\.schema must be a Standard Schema/],
			['t', { signal: {} }, 'InvalidClientOptionError', /presence\.signal must be an AbortSignal/],
		];
		for (const [topic, options, name, message] of calls) {
			const handle = played.client.presence(topic, options);
			const error = await rejection(handle.ready);
			assert.deepEqual([error.name, handle.isClosed, failures.at(-1)?.[1]], [name, true, error]);
			assert.match(error.message, message);
			assert.equal(await rejection(handle.update({})), error);
		}
		await played.handled();
	},
};
