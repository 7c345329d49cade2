import { until } from '@orijs/testkit';
import { expect, it } from 'vitest';
import { changesOf, enter, keysOf, presenceCluster, presenceNodes, request } from '../test-support/presence-nodes.ts';
import { sendTyped } from '../test-support/typed-client.ts';

it('members of all nodes are seen, change and leave', async () => {
	const [one, two] = await presenceNodes({ presence: { info: ({ userId }) => ({ name: userId }) } });
	const [ada, ben] = [await one.speaker('ada'), await two.speaker('ben')];
	expect(keysOf(await enter(ada, 'room:a'))).toEqual(['user:ada']);
	await enter(ben, 'room:a');
	await until(async () => keysOf(await request(ben, '@watch', { topic: 'room:a' }))?.length === 2, {
		what: 'both are seen',
	});
	await until(() => changesOf(ada).some(({ joined }) => joined?.[0]?.key === 'user:ben'), { what: 'Ben has joined' });
	await request(ben, '@update', { topic: 'room:a', info: { status: 'away' } });
	await until(() => changesOf(ada).some(({ updated }) => updated?.[0]?.info?.['status'] === 'away'), {
		what: 'Ben is away',
	});
	expect(changesOf(ada).at(-1)?.updated?.[0]?.info).toEqual({ name: 'ben', status: 'away' });
	await one.app.presence.update('room:a', 'user:ben', { role: 'host' });
	await until(() => changesOf(ada).some(({ updated }) => updated?.[0]?.info?.['role'] === 'host'), {
		what: 'Ben is the host',
	});
	expect(await one.app.presence.count('room:a')).toBe(2);
	await one.app.cluster.unsubscribe({ userId: 'ben' }, 'room:a', { code: 'kicked' });
	await until(() => changesOf(ada).some(({ left }) => left?.[0] === 'user:ben'), { what: 'Ben has left' });
	expect(await request(ben, '@watch', { topic: 'room:a' })).toMatchObject({ code: 'not_subscribed' });
	expect((await two.app.presence.members('room:a')).members.map(({ key }) => key)).toEqual(['user:ada']);
});

it('a client that the server subscribes from another node sees itself when it then watches', async () => {
	const [one, two] = await presenceNodes();
	const ada = await one.speaker('ada');
	await two.app.cluster.subscribe({ userId: 'ada' }, 'room:a');
	await ada.next((message) => String(message).includes('@subscribed'));
	expect(keysOf(await request(ada, '@watch', { topic: 'room:a' }))).toEqual(['user:ada']);
});

it('app.presence.onChange is called for clients of other nodes', async () => {
	const [one, two] = await presenceNodes();
	const told: string[] = [];
	const stop = one.app.presence.onChange('room:a', ({ joined, left }) => {
		for (const { key } of joined) told.push(`+${key}`);
		for (const { key } of left) told.push(`-${key}`);
	});
	const ada = await two.speaker('ada');
	await enter(ada, 'room:a');
	await until(() => told.includes('+user:ada'), { what: 'Ada has joined' });
	await ada.close();
	await until(() => told.includes('-user:ada'), { what: 'Ada has left' });
	stop();
	await enter(await two.speaker('ben'), 'room:a');
	await until(async () => (await one.app.presence.count('room:a')) === 1, { what: 'Ben is counted' });
	expect(told).toEqual(['+user:ada', '-user:ada']);
});

it('while its node is cut off from the backend, a client sees its own node, and is told that the rest is stale', async () => {
	const {
		nodes: [one, two],
		cut,
		restore,
	} = await presenceCluster({ presence: { authorize: () => true } });
	const [ada, ben] = [await one.speaker('ada'), await two.speaker('ben')];
	await enter(ada, 'room:a');
	await enter(ben, 'room:a');
	await until(() => changesOf(ada).some(({ count }) => count === 2), { what: 'both are seen' });
	cut();
	await until(() => changesOf(ada).at(-1)?.isStale === true, { what: 'it is stale' });
	const stale = await request(ada, '@watch', { topic: 'room:a' });
	expect(stale).toMatchObject({ count: 2, isStale: true });
	expect(await request(ada, '@watch', { topic: 'room:unknown' })).toEqual({
		code: 'unavailable',
		message: 'The members could not be read; try again',
	});
	expect(await request(ada, '@update', { topic: 'room:a', info: { mood: 'good' } })).toEqual({});
	// Subscriptions wait for the backend, but who has asked for one is seen.
	const cy = await one.speaker('cy');
	sendTyped(cy, '@subscribe', { topic: 'room:b' });
	expect(keysOf(await request(cy, '@watch', { topic: 'room:b' }))).toEqual(['user:cy']);
	restore();
	await until(() => changesOf(ben).some(({ updated }) => updated?.[0]?.info?.['mood'] === 'good'), {
		what: 'the change arrives',
	});
	await until(async () => !('isStale' in (await request(ada, '@watch', { topic: 'room:a' }))), { what: 'it is fresh' });
	expect(await request(ada, '@watch', { topic: 'room:unknown' })).toMatchObject({ count: 0, members: [] });
});

it('of a topic whose members are not named, clients are told how many there are', async () => {
	const [one, two] = await presenceNodes({ kept: { 'room:*': { events: 'count' } } });
	const [ada, ben] = [await one.speaker('ada'), await two.speaker('ben')];
	const first = await enter(ada, 'room:a');
	expect(first).not.toHaveProperty('members');
	await enter(ben, 'room:a');
	await until(() => changesOf(ada).at(-1)?.count === 2, { what: 'both are counted' });
	for (const change of changesOf(ada)) expect(change).not.toHaveProperty('joined');
	expect(await request(ada, '@watch', { topic: 'room:a', after: 'user:ada' })).toMatchObject({ code: 'not_watched' });
	expect((await one.app.presence.members('room:a')).members).toHaveLength(2);
});
