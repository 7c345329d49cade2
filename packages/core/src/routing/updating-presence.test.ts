import { type TestClient, until } from '@orijs/testkit';
import type { PresenceMember, WatchAnswer } from '@orijs/websocket/protocol';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { SocketRouter } from '../index.ts';
import { changesOf, enter, presenceNode, request } from '../test-support/presence-nodes.ts';
import { sendTyped } from '../test-support/typed-client.ts';

const Info = z.object({
	name: z.string(),
	status: z.enum(['here', 'away']).optional(),
	note: z.string().max(9).optional(),
});

async function memberOf(client: TestClient, key = 'user:ada', topic = 'room:a'): Promise<PresenceMember | undefined> {
	const { members } = await request<WatchAnswer>(client, '@watch', { topic });
	return members?.find((member) => member.key === key);
}

describe('@update', () => {
	it('sets what a client adds to its info, instead of what it added before, and tells others', async () => {
		const { speaker } = await presenceNode({ presence: { info: ({ userId }) => ({ name: userId }) } });
		const [ada, ben] = [await speaker('ada'), await speaker('ben')];
		await enter(ada, 'room:a');
		await enter(ben, 'room:a');
		expect(await request(ada, '@update', { topic: 'room:a', info: { status: 'away', deep: { er: [1] } } })).toEqual({});
		await until(() => changesOf(ben).length > 0, { what: 'Ben is told' });
		expect(changesOf(ben).at(-1)?.updated).toMatchObject([
			{ key: 'user:ada', info: { name: 'ada', status: 'away', deep: { er: [1] } } },
		]);
		expect(await request(ada, '@update', { topic: 'room:a', info: { note: 'x' } })).toEqual({});
		expect((await memberOf(ada))?.info).toEqual({ name: 'ada', note: 'x' });
		expect(await request(ada, '@update', { topic: 'room:a', info: {} })).toEqual({});
		expect((await memberOf(ada))?.info).toEqual({ name: 'ada' });
	});

	it('can change nothing that the server says', async () => {
		const { speaker } = await presenceNode({ presence: { info: ({ userId }) => ({ name: userId, isAdmin: false }) } });
		const ada = await speaker('ada');
		await enter(ada, 'room:a');
		const info = { name: 'ben', isAdmin: true, status: 'here' };
		expect(await request(ada, '@update', { topic: 'room:a', info })).toEqual({});
		expect((await memberOf(ada))?.info).toEqual({ name: 'ada', isAdmin: false, status: 'here' });
	});

	it('is refused if it does not match the schema, which says where; what the schema leaves out is left out', async () => {
		const { speaker, app, log } = await presenceNode({
			presence: { info: ({ userId }) => ({ name: userId, secret: 1 }), schema: Info },
		});
		const ada = await speaker('ada');
		await enter(ada, 'room:a');
		expect(await request(ada, '@update', { topic: 'room:a', info: { status: 'gone' } })).toMatchObject({
			code: 'invalid_data',
			message: expect.stringContaining('status') as string,
		});
		expect((await memberOf(ada))?.info).toEqual({ name: 'ada' });
		expect(await request(ada, '@update', { topic: 'room:a', info: { status: 'away', evil: 1, secret: 2 } })).toEqual(
			{},
		);
		expect((await memberOf(ada))?.info).toEqual({ name: 'ada', status: 'away' });
		expect(app.refusals.data).toBe(1);
		expect(log.errors).toEqual([]);
	});

	it('leaves to clients what only the schema has set', async () => {
		const schema = z.object({ name: z.string(), status: z.string().default('here') });
		const { speaker } = await presenceNode({ presence: { info: ({ userId }) => ({ name: userId }), schema } });
		const ada = await speaker('ada');
		await enter(ada, 'room:a');
		await request(ada, '@update', { topic: 'room:a', info: {} });
		expect((await memberOf(ada))?.info).toEqual({ name: 'ada', status: 'here' });
		await request(ada, '@update', { topic: 'room:a', info: { status: 'away' } });
		expect((await memberOf(ada))?.info).toEqual({ name: 'ada', status: 'away' });
	});

	it('is refused if the info is too large, together with that of the server', async () => {
		const { speaker } = await presenceNode({ presence: { info: () => ({ name: 'Ada' }), infoBytes: 40 } });
		const ada = await speaker('ada');
		await enter(ada, 'room:a');
		// {"name":"Ada","note":""} has 24 bytes.
		expect(await request(ada, '@update', { topic: 'room:a', info: { note: 'é'.repeat(8) } })).toEqual({});
		expect(await request(ada, '@update', { topic: 'room:a', info: { note: `${'é'.repeat(8)}.` } })).toEqual({
			code: 'too_large',
			message: 'The info has 41 bytes as JSON; at most 40 are allowed (presence.infoBytes)',
		});
	});

	it('is refused in topics that the client is not in, or whose presence is not kept', async () => {
		const { speaker } = await presenceNode();
		const ada = await speaker('ada');
		await enter(await speaker('ben'), 'room:a');
		await request(ada, '@subscribe', { topic: 'lobby' });
		expect(await request(ada, '@update', { topic: 'room:a', info: {} })).toMatchObject({ code: 'not_subscribed' });
		expect(await request(ada, '@update', { topic: 'lobby', info: {} })).toMatchObject({ code: 'not_kept' });
	});

	it('is refused if its data is invalid', async () => {
		const { speaker, app } = await presenceNode();
		const ada = await speaker('ada');
		await enter(ada, 'room:a');
		const bad = [
			null,
			{},
			{ topic: 'room:a' },
			...['x', 1, null, [1], true].map((info) => ({ topic: 'room:a', info })),
		];
		for (const data of bad) {
			expect(await request(ada, '@update', data)).toMatchObject({
				code: 'invalid_data',
				message: expect.stringMatching(/^data must be \{ topic, info \} with an object as info/) as string,
			});
		}
		ada.send(
			JSON.stringify({
				type: '@update',
				correlationId: 'date',
				data: { topic: 'room:a', info: '2026-01-01T00:00:00.000Z' },
				values: [['date', 'info']],
			}),
		);
		await ada.next((message) => String(message).includes('"date"'));
		expect(ada.texts.at(-1)).toContain('invalid_data');
		expect(app.refusals.data).toBe(bad.length + 1);
		expect((await memberOf(ada))?.info).toBeUndefined();
	});

	it('is limited to presence.updatesPerSecond in each topic, after a burst of five', async () => {
		const { speaker, app } = await presenceNode({ presence: { updatesPerSecond: 0.01 } });
		const ada = await speaker('ada');
		for (const topic of ['room:a', 'room:b']) {
			await enter(ada, topic);
			const codes: unknown[] = [];
			for (let n = 1; n <= 8; n++) codes.push((await request(ada, '@update', { topic, info: { n } })).code);
			expect(codes).toEqual([...Array<undefined>(5), 'rate_limited', 'rate_limited', 'rate_limited']);
			expect((await memberOf(ada, 'user:ada', topic))?.info).toEqual({ n: 5 });
		}
		// Leaving and coming back changes nothing.
		await request(ada, '@unsubscribe', { topic: 'room:a' });
		await enter(ada, 'room:a');
		expect(await request(ada, '@update', { topic: 'room:a', info: {} })).toMatchObject({ code: 'rate_limited' });
		expect(app.refusals.rate).toBe(7);
	});

	it('that is no request takes effect as well', async () => {
		const { speaker } = await presenceNode();
		const ada = await speaker('ada');
		await enter(ada, 'room:a');
		sendTyped(ada, '@update', { topic: 'room:a', info: { status: 'away' } });
		expect((await memberOf(ada))?.info).toEqual({ status: 'away' });
	});

	it('of one connection of a user is not forgotten while the user has others; the latest counts', async () => {
		const { speaker } = await presenceNode();
		const [phone, laptop] = [await speaker('ada'), await speaker('ada')];
		await enter(phone, 'room:a');
		await enter(laptop, 'room:a');
		await request(phone, '@update', { topic: 'room:a', info: { on: 'phone' } });
		await request(laptop, '@update', { topic: 'room:a', info: { on: 'laptop' } });
		expect(await memberOf(phone)).toMatchObject({ connections: 2, info: { on: 'laptop' } });
		await laptop.close();
		await until(async () => (await memberOf(phone))?.connections === 1, { what: 'the laptop has left' });
		expect((await memberOf(phone))?.info).toEqual({ on: 'phone' });
	});
});

describe('ctx.updatePresence', () => {
	it('changes the info of the own user, which no client can change back', async () => {
		const { speaker } = await presenceNode({
			routers: () => [
				new SocketRouter().onSubscribe(async (ctx, topic) => {
					await ctx.updatePresence(topic, { role: 'host' });
				}),
			],
		});
		for (const user of ['ada', undefined]) {
			const client = await speaker(user);
			const { members } = await enter(client, 'room:a');
			const key = members?.find((member) => member.userId === user)?.key;
			await until(async () => (await memberOf(client, key))?.info?.['role'] === 'host', { what: 'the role is told' });
			await request(client, '@update', { topic: 'room:a', info: { role: 'guest', mood: 'good' } });
			expect((await memberOf(client, key))?.info).toEqual({ role: 'host', mood: 'good' });
		}
	});
});
