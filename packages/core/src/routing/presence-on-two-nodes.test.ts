import { until } from '@orijs/testkit';
import { expect, it } from 'vitest';
import { changesOf, enter, keysOf, presenceNodes, request } from '../test-support/presence-nodes.ts';

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

it('app.presence.onChange is told of clients of other nodes', async () => {
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
