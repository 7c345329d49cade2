import { until } from '@orijs/testkit';
import { expect, it } from 'vitest';
import { changesOf, enter, keysOf, presenceNode, presenceNodes, request } from '../test-support/presence-nodes.ts';

const SEES_ALL = { presence: { authorize: () => true } };
const COUNT = { topic: 'room:a', isCountOnly: true };

it('a client that asks only for the count is sent no members', async () => {
	const [one, other] = await presenceNodes(SEES_ALL);
	const counting = await one.speaker('counting');
	const naming = await one.speaker('naming');
	expect(await request(counting, '@watch', COUNT)).toEqual({
		topic: 'room:a',
		version: { epoch: expect.any(String) as string, n: expect.any(Number) as number },
		count: 0,
	});
	await request(naming, '@watch', { topic: 'room:a' });
	const ada = await other.speaker('ada');
	await enter(ada, 'room:a');
	await enter(await one.speaker('ben'), 'room:a');
	await until(() => changesOf(counting).at(-1)?.count === 2, { what: 'the count is told' });
	await request(ada, '@update', { topic: 'room:a', info: { mood: 'good' } });
	await until(() => changesOf(naming).some(({ updated }) => updated?.[0]?.info?.['mood'] === 'good'), {
		what: 'the info is told to those who see members',
	});
	await ada.close();
	await until(() => changesOf(counting).at(-1)?.count === 1, { what: 'the count is told' });
	// Info is nothing to them, and no change names anyone.
	expect(changesOf(counting).map(({ count }) => count)).toEqual([1, 2, 1]);
	for (const change of changesOf(counting)) {
		expect(Object.keys(change).toSorted()).toEqual(['count', 'isCountOnly', 'previous', 'topic', 'version']);
		expect([change.previous.epoch, change.previous.n]).toEqual([change.version.epoch, 0]);
	}
});

it('the last request says whether members or only their count are told', async () => {
	const { speaker, provider } = await presenceNode(SEES_ALL);
	const client = await speaker('ada');
	const ben = await speaker('ben');
	await request(client, '@watch', COUNT);
	expect(await request(client, '@watch', { topic: 'room:a', after: 'user:a' })).toMatchObject({ code: 'not_watched' });
	await request(client, '@watch', { topic: 'room:a' });
	await enter(ben, 'room:a');
	await until(() => changesOf(client).at(-1)?.count === 1, { what: 'Ben is told' });
	expect(
		changesOf(client)
			.at(-1)
			?.joined?.map(({ key }) => key),
	).toEqual(['user:ben']);
	const counted = await request(client, '@watch', COUNT);
	expect([counted.count, keysOf(counted)]).toEqual([1, undefined]);
	const told = changesOf(client).length;
	await request(ben, '@unsubscribe', { topic: 'room:a' });
	await until(() => changesOf(client).at(-1)?.count === 0, { what: 'the count is told' });
	expect(changesOf(client).slice(told)).toMatchObject([{ count: 0, isCountOnly: true }]);
	const [socket] = provider.getConnections();
	expect(provider.socketPresence.watchedBy(socket?.data.socketId ?? '')).toBe(1);
	await request(client, '@unwatch', { topic: 'room:a' });
	expect(provider.socketPresence.watchedBy(socket?.data.socketId ?? '')).toBe(0);
	await enter(ben, 'room:a');
	expect(changesOf(client)).toHaveLength(told + 1);
});

it('a count is told on when members become known, or are too many', async () => {
	const kept = { 'room:*': { leaveDelayMs: 0, membersUpTo: 2 } };
	const { speaker } = await presenceNode({ ...SEES_ALL, kept });
	const client = await speaker('ada');
	await request(client, '@watch', COUNT);
	const others = await Promise.all(['b', 'c', 'd'].map((user) => speaker(user)));
	for (const other of others) await enter(other, 'room:a');
	await until(() => changesOf(client).at(-1)?.count === 3, { what: 'three are counted' });
	for (const other of others.slice(1)) await request(other, '@unsubscribe', { topic: 'room:a' });
	await until(() => changesOf(client).at(-1)?.count === 1, { what: 'one is counted' });
	let epoch = changesOf(client)[0]?.version.epoch;
	for (const { version, previous, isCountOnly } of changesOf(client)) {
		expect([isCountOnly, previous]).toEqual([true, { epoch, n: 0 }]);
		epoch = version.epoch;
	}
});
