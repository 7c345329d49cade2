import { strict as assert } from 'node:assert';
import { assertRefused, eventually, isSettled, rejection } from '../assertions.ts';
import { members, PlayedPresence, version } from '../played-presence.ts';
import { PresenceLog } from '../presence-log.ts';
import { failuresOf, readyClient } from '../run-scenario.ts';
import type { Scenario } from '../test-server.ts';

const ONLY_COUNT = { members: false };

/** Answers the next request, which must be for the count. */
async function counted(played: PlayedPresence, n: number, count: number): Promise<void> {
	const { data, correlationId } = await played.next('@watch');
	assert.deepEqual(data, { topic: 't', isCountOnly: true });
	await played.answer('@watch', correlationId, { topic: 't', version: version(n), count });
}

/** Answers the next request, which must be for the members. */
async function named(played: PlayedPresence, n: number, keys: string): Promise<void> {
	const { data, correlationId } = await played.next('@watch');
	assert.deepEqual(data, { topic: 't' });
	const all = members(...keys.split(' '));
	await played.answer('@watch', correlationId, { topic: 't', version: version(n), count: all.length, members: all });
}

export const presenceCounts: Record<string, Scenario> = {
	'only the count is asked for, and told': async (server) => {
		const played = await PlayedPresence.start(server);
		const logs = [0, 1].map(() => new PresenceLog(played.client, 't', ONLY_COUNT));
		await counted(played, 1, 7);
		await logs[0]?.handle.ready;
		await played.change(0, 5, { count: 8, isCountOnly: true });
		await played.handled();
		await played.lose();
		await played.ready();
		await counted(played, 1, 8);
		await played.handled();
		for (const { told, handle } of logs) {
			assert.deepEqual(told, ['=7 unnamed', '=8 unnamed', '=8 stale unnamed', '=8 unnamed']);
			assert.deepEqual([handle.members, handle.count, handle.areMembersKnown], [[], 8, false]);
		}
	},

	'handles of one topic share the widest watch': async (server) => {
		const played = await PlayedPresence.start(server);
		const count = new PresenceLog(played.client, 't', ONLY_COUNT);
		await counted(played, 1, 2);
		await count.handle.ready;
		const all = played.watch();
		const { data, correlationId } = await played.next('@watch');
		assert.deepEqual(data, { topic: 't' });
		assert.equal(await isSettled(all.handle.ready), false);
		// It was on the way before the answer.
		await played.change(0, 3, { count: 2, isCountOnly: true });
		const page = { topic: 't', version: version(3), count: 2, members: members('a', 'b') };
		await played.answer('@watch', correlationId, page);
		await all.handle.ready;
		await played.change(3, 4, { count: 2, updated: [{ ...members('a')[0], connections: 2 }] });
		await played.change(4, 5, { count: 3, joined: members('c') });
		await played.handled();
		assert.deepEqual(all.told, ['+a +b =2', '~a =2', '+c =3']);
		assert.deepEqual([count.told, count.keys], [['=2 unnamed', '=3 unnamed'], []]);
		all.handle.close();
		await counted(played, 6, 3);
		await played.handled();
		assert.equal(count.told.length, 2);
		count.handle.close();
		await played.next('@unwatch');
	},

	'a watch that could not be changed is ended all the same': async (server) => {
		const played = await PlayedPresence.start(server);
		const all = played.watch();
		await played.watched(1, 'a');
		await all.handle.ready;
		const count = new PresenceLog(played.client, 't', ONLY_COUNT);
		await played.handled();
		all.handle.close();
		await played.refuse('@watch', 'unavailable');
		await eventually(() => count.handle.isStale, 'the refusal has arrived');
		// The server still tells the members, as it was asked to before.
		count.handle.close();
		await played.next('@unwatch');
	},

	'a handle that needs members waits for them, also while the count is being asked for': async (server) => {
		const played = await PlayedPresence.start(server);
		const count = new PresenceLog(played.client, 't', ONLY_COUNT);
		const { correlationId } = await played.next('@watch');
		const all = played.watch();
		await played.handled();
		await played.answer('@watch', correlationId, { topic: 't', version: version(1), count: 1 });
		await count.handle.ready;
		assert.deepEqual([await isSettled(all.handle.ready), all.told], [false, []]);
		await named(played, 1, 'a');
		await all.handle.ready;
		assert.deepEqual([all.told, count.told], [['+a =1'], ['=1 unnamed']]);
	},

	'of a server that tells no members, both know the count': async (server) => {
		const played = await PlayedPresence.start(server);
		const count = new PresenceLog(played.client, 't', ONLY_COUNT);
		await counted(played, 1, 5_000);
		await count.handle.ready;
		const all = played.watch();
		await played.watched(1, '', { count: 5_000, members: undefined });
		await all.handle.ready;
		assert.deepEqual([all.told, count.told], [['=5000 unnamed'], ['=5000 unnamed']]);
	},

	'of a real server, the count, and in between the members': async (server) => {
		await server.serve({ users: true, mayWatchAll: true });
		const client = await readyClient(server, { auth: () => 'ada' });
		const log = new PresenceLog(client, 'here:a', ONLY_COUNT);
		await log.handle.ready;
		await server.enter('here:a', ['ben', 'cy']);
		await eventually(() => log.handle.count === 2, 'two are counted');
		const all = new PresenceLog(client, 'here:a');
		await eventually(() => all.keys.length === 2, 'the members are known');
		all.handle.close();
		await server.leave('here:a', ['cy']);
		await eventually(() => log.handle.count === 1, 'one is counted');
		assert.deepEqual([log.keys, log.handle.areMembersKnown], [[], false]);
		assert.doesNotMatch(log.told.join(' '), /user/);
	},

	'a topic that no client may watch is refused with a code of its own': async (server) => {
		await server.serve({ users: true, mayWatchAll: true });
		const client = await readyClient(server, { auth: () => 'ada' });
		failuresOf(client);
		assertRefused(await rejection(client.presence('silent:a').ready), 'not_watchable');
		assertRefused(await rejection(client.presence('unkept').ready), 'not_kept');
	},
};
