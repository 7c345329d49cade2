import { strict as assert } from 'node:assert';
import type { PresenceOptions, SocketClient } from '../../index.ts';
import { assertRefused, eventually, rejection } from '../assertions.ts';
import { PresenceLog } from '../presence-log.ts';
import { failuresOf, readyClient } from '../run-scenario.ts';
import type { Scenario, TestServer } from '../test-server.ts';

const HERE = 'here:a';

function user(server: TestServer, name: string): Promise<SocketClient> {
	return readyClient(server, { auth: () => name });
}

/** Subscribes to a topic, and resolves once it is known who is in it. */
async function enter(client: SocketClient, topic = HERE, options?: PresenceOptions): Promise<PresenceLog> {
	const log = new PresenceLog(client, topic, options);
	await client.subscribe(topic);
	await log.handle.ready;
	return log;
}

function untilKeys(log: PresenceLog, keys: string): Promise<void> {
	const expected = keys.split(' ').map((name) => `user:${name}`);
	return eventually(() => log.keys.join(' ') === expected.join(' '), `the members are ${keys}`);
}

/** What every member says of itself, by key. */
function infos({ handle }: PresenceLog): object {
	return Object.fromEntries(handle.members.map(({ key, info }) => [key.replace('user:', ''), info]));
}

/** Loses the connection of all clients. */
async function loseConnections(client: SocketClient, server: TestServer): Promise<void> {
	await server.network('refuse');
	await server.network('cut');
	await eventually(() => client.state !== 'ready', 'the connection is lost');
}

export const presence: Record<string, Scenario> = {
	'everyone is told who is there, themselves included, and then who comes, changes and goes': async (server) => {
		await server.serve({ users: true });
		const ada = await user(server, 'ada');
		const log = await enter(ada);
		const [self] = log.handle.members;
		assert.deepEqual([self?.key, self?.userId, self?.info, self?.connections], ['user:ada', 'ada', { name: 'ada' }, 1]);
		assert.ok(Math.abs((self?.since ?? 0) - Date.now()) < 60_000);
		const ben = await user(server, 'ben');
		const bens = await enter(ben);
		await untilKeys(bens, 'ada ben');
		await untilKeys(log, 'ada ben');
		await server.enter(HERE, ['cy']);
		await untilKeys(log, 'ada ben cy');
		const tab = await user(server, 'ben');
		await tab.subscribe(HERE);
		await eventually(() => log.handle.members[1]?.connections === 2, 'Ben has two connections');
		await tab.close();
		await eventually(() => log.handle.members[1]?.connections === 1, 'Ben has one connection');
		await bens.handle.update({ status: 'away' });
		await eventually(() => log.handle.members[1]?.info?.['status'] === 'away', 'Ben has changed');
		assert.deepEqual(infos(log), { ada: { name: 'ada' }, ben: { name: 'ben', status: 'away' }, cy: undefined });
		await server.leave(HERE, ['cy']);
		await ben.close();
		await untilKeys(log, 'ada');
		assert.deepEqual(
			log.told.flatMap((told) => told.match(/[+-]user:\w+/g) ?? []).toSorted(),
			['+user:ada', '+user:ben', '+user:cy', '-user:ben', '-user:cy'].toSorted(),
		);
		assert.deepEqual(bens.handle.isStale, true);
	},

	'after a reconnect, only the difference is told, and own info is as it was': async (server) => {
		await server.serve({ users: true });
		const ada = await user(server, 'ada');
		const log = await enter(ada, 'stays:a');
		await server.enter('stays:a', ['ben', 'cy']);
		await untilKeys(log, 'ada ben cy');
		await log.handle.update({ status: 'busy' });
		await eventually(() => log.handle.members[0]?.info?.['status'] === 'busy', 'the change is told');
		const told = log.told.length;
		await loseConnections(ada, server);
		assert.equal(log.handle.isStale, true);
		await server.leave('stays:a', ['cy']);
		await server.enter('stays:a', ['dan']);
		await server.network('accept');
		await untilKeys(log, 'ada ben dan');
		await eventually(
			async () => (await server.members('stays:a'))[0]?.info?.['status'] === 'busy',
			'the info is as it was',
		);
		await eventually(() => !log.handle.isStale, 'it is up to date');
		const changes = log.told.slice(told).join(' ');
		assert.match(changes, /^=3 stale \+user:dan -user:cy/);
		assert.doesNotMatch(changes, /[+-]user:(ada|ben)/);
	},

	'a server that is replaced makes no one leave': async (server) => {
		await server.serve({ users: true });
		const ada = await user(server, 'ada');
		const log = await enter(ada, 'stays:a');
		const ben = await user(server, 'ben');
		const bens = await enter(ben, 'stays:a');
		await Promise.all([log, bens].map((one) => untilKeys(one, 'ada ben')));
		await bens.handle.update({ status: 'here' });
		await eventually(() => log.handle.members[1]?.info?.['status'] === 'here', 'Ben has changed');
		await server.stop();
		await server.serve({ users: true });
		await eventually(() => !log.handle.isStale && !bens.handle.isStale, 'both are back');
		await eventually(() => log.handle.members[1]?.info?.['status'] === 'here', 'the info is as it was');
		for (const { told } of [log, bens]) assert.doesNotMatch(told.join(' '), /-user/);
		await Promise.all([log, bens].map((one) => untilKeys(one, 'ada ben')));
	},

	'who is kicked is told no more, and knows again who is there once back': async (server) => {
		await server.serve({ users: true });
		const ada = await user(server, 'ada');
		const log = await enter(ada);
		await server.enter(HERE, ['ben']);
		await untilKeys(log, 'ada ben');
		await log.handle.update({ status: 'busy' });
		await server.remove(HERE, 'kicked');
		await eventually(() => log.handle.isStale, 'the members are as they were');
		await server.enter(HERE, ['cy']);
		await eventually(async () => (await server.members(HERE)).length === 2, 'Ada has left');
		assert.deepEqual(log.keys, ['user:ada', 'user:ben']);
		await ada.subscribe(HERE);
		await untilKeys(log, 'ada ben cy');
		await eventually(() => !log.handle.isStale, 'it is up to date');
		await eventually(() => log.handle.members[0]?.info?.['status'] === 'busy', 'the info is as it was');
		assert.doesNotMatch(log.told.join(' '), /-user:ben/);
	},

	'250 members are read page by page, while they change': async (server) => {
		await server.serve({ users: true });
		const names = Array.from({ length: 250 }, (_, i) => `m${String(i).padStart(3, '0')}`);
		await server.enter(HERE, names);
		const ada = await user(server, 'ada');
		const leaving = server.leave(HERE, names.slice(100, 110));
		const log = await enter(ada);
		await leaving;
		const left = ['ada', ...names.slice(0, 100), ...names.slice(110)];
		await untilKeys(log, left.join(' '));
		assert.deepEqual([log.handle.count, log.handle.areMembersKnown], [241, true]);
		const first = log.changes[0];
		assert.ok((first?.members.length ?? 0) >= 241, 'everyone is told at once');
	},

	'of many members, or where the server says so, only the count is told': async (server) => {
		await server.serve({ users: true });
		const ada = await user(server, 'ada');
		const crowd = await enter(ada, 'crowd:a');
		const names = Array.from({ length: 12 }, (_, i) => `m${i}`);
		await server.enter('crowd:a', names);
		await eventually(() => crowd.handle.count === 13, 'the count is told');
		assert.deepEqual([crowd.handle.members, crowd.handle.areMembersKnown], [[], false]);
		const late = new PresenceLog(ada, 'crowd:a');
		await late.handle.ready;
		assert.deepEqual(late.told, ['=13 unnamed']);
		await server.leave('crowd:a', names.slice(3));
		await untilKeys(crowd, 'ada m0 m1 m2');
		assert.doesNotMatch(crowd.told.join(' '), /-user/);
		const counted = await enter(ada, 'counted:a');
		await server.enter('counted:a', ['ben']);
		await eventually(() => counted.handle.count === 2, 'the count is told');
		assert.deepEqual([counted.told.at(-1), counted.handle.members], ['=2 unnamed', []]);
	},

	'handles of one topic know the same, and one that is closed is told nothing': async (server) => {
		await server.serve({ users: true });
		const ada = await user(server, 'ada');
		const first = await enter(ada);
		const second = new PresenceLog(ada, HERE);
		await second.handle.ready;
		await server.enter(HERE, ['ben']);
		await Promise.all([first, second].map((one) => untilKeys(one, 'ada ben')));
		assert.equal(first.handle.members, second.handle.members);
		first.handle.close();
		await server.enter(HERE, ['cy']);
		await untilKeys(second, 'ada ben cy');
		assert.deepEqual(first.keys, ['user:ada', 'user:ben']);
		second.handle.close();
		const third = new PresenceLog(ada, HERE);
		await third.handle.ready;
		assert.deepEqual(third.keys, ['user:ada', 'user:ben', 'user:cy']);
	},

	'while the server is cut off from the others, no one leaves, and it says so': async (server) => {
		await server.serve({ users: true });
		const ada = await user(server, 'ada');
		const log = await enter(ada);
		await server.enter(HERE, ['ben']);
		await untilKeys(log, 'ada ben');
		await server.cutBackend(true);
		await eventually(() => log.handle.isStale, 'it is stale');
		assert.deepEqual(log.keys, ['user:ada', 'user:ben']);
		await server.enter(HERE, ['cy']);
		await server.cutBackend(false);
		await untilKeys(log, 'ada ben cy');
		await eventually(() => !log.handle.isStale, 'it is up to date');
		assert.doesNotMatch(log.told.join(' '), /-user/);
	},

	'who is not in the topic waits until they are, and is stale once they have left': async (server) => {
		await server.serve({ users: true });
		const [ada, ben] = [await user(server, 'ada'), await user(server, 'ben')];
		const log = await enter(ada);
		const outside = new PresenceLog(ben, HERE);
		const subscription = await ben.subscribe(HERE);
		await outside.handle.ready;
		await untilKeys(log, 'ada ben');
		await subscription.close();
		await untilKeys(log, 'ada');
		await eventually(() => outside.handle.isStale, 'Ben is told nothing any longer');
		const again = ben.subscribe(HERE);
		await again;
		await untilKeys(log, 'ada ben');
		await eventually(() => !outside.handle.isStale, 'Ben is told again');
	},

	'150 topics are followed within the default limits, also after a reconnect': async (server) => {
		await server.serve({ users: true });
		const ada = await user(server, 'ada');
		const topics = Array.from({ length: 150 }, (_, i) => `stays:${i}`);
		const logs = topics.map((topic) => new PresenceLog(ada, topic));
		await Promise.all(topics.map((topic) => ada.subscribe(topic)));
		await Promise.all(logs.map(({ handle }) => handle.ready));
		await loseConnections(ada, server);
		await server.network('accept');
		await eventually(() => logs.every(({ handle }) => !handle.isStale), 'all are up to date', 10_000);
		for (const { told } of logs) assert.deepEqual(told, ['+user:ada =1', '=1 stale', '=1']);
	},

	'info that is not allowed is refused, and the server has the last word': async (server) => {
		await server.serve({ users: true });
		const ada = await user(server, 'ada');
		const { handle } = await enter(ada);
		for (const info of [{ status: 5 }, { status: 'x'.repeat(21) }]) {
			const error = await rejection(handle.update(info));
			assertRefused(error, 'invalid_data');
			assert.match(error.message, /status/);
		}
		await handle.update({ name: 'the king', status: 'busy' });
		await eventually(() => handle.members[0]?.info?.['status'] === 'busy', 'the change is told');
		assert.deepEqual(handle.members[0]?.info, { name: 'ada', status: 'busy' });
	},

	'of changes that are too fast, the newest wins': async (server) => {
		await server.serve({ users: true });
		const ada = await user(server, 'ada');
		const { handle } = await enter(ada);
		const updates: Promise<void>[] = [];
		for (let n = 0; n < 40; n++) {
			updates.push(handle.update({ status: `${n}` }));
			await new Promise((resolve) => setTimeout(resolve, 5));
		}
		await Promise.all(updates);
		await eventually(() => handle.members[0]?.info?.['status'] === '39', 'the newest is told');
	},

	'who may not see the members is refused, at first and later': async (server) => {
		await server.serve({ users: true, mayWatchAll: true });
		await server.enter(HERE, ['ben']);
		const ada = await user(server, 'ada');
		const log = new PresenceLog(ada, HERE);
		await log.handle.ready;
		assert.deepEqual(log.keys, ['user:ben']);
		await server.forbid([HERE, 'here:b']);
		const failures = failuresOf(ada);
		assertRefused(await rejection(ada.presence('here:b').ready), 'forbidden');
		await server.reauthorize(HERE);
		await eventually(() => log.handle.isClosed, 'the handle is closed');
		assertRefused(await rejection(ada.presence('unkept').ready), 'not_kept');
		assert.deepEqual(
			failures.map(([stage, error]) => [stage, (error as { code?: string }).code]),
			[
				['presence', 'forbidden'],
				['presence', 'forbidden'],
				['presence', 'not_kept'],
			],
		);
	},
};
