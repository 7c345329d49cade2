import { until } from '@orijs/testkit';
import type { Logger } from '@orijs/websocket';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createChat } from './chat.ts';
import { Enter, Here, Remove, Rename, Restart, Said, Say, saidTopicOf, Type, Typing } from './messages.ts';
import { allLeave, visit, type Visitor } from './test-support/visitor.ts';

/** Prints only errors, because refusals are expected here. */
const quiet: Logger = { debug() {}, info() {}, warn() {}, error: console.error };

const MODERATOR_KEY = 'a key';

let chat: ReturnType<typeof createChat>;
let port: number | undefined;
let restarts: number;

beforeEach(async () => {
	restarts = 0;
	chat = createChat({ name: 'node 1', moderatorKey: MODERATOR_KEY, restart: () => void restarts++, logger: quiet });
	({ port } = await chat.listen(0));
});
afterEach(async () => {
	await allLeave();
	await chat.stop();
});

/** Connects two visitors and lets them enter the same room. */
async function two(): Promise<readonly [Visitor, Visitor]> {
	const [ada, grace] = await Promise.all([visit(port, 'Ada'), visit(port, 'Grace')]);
	await Promise.all([ada.enter('lobby'), grace.enter('lobby')]);
	return [ada, grace];
}

function names({ people }: { readonly people: readonly { readonly name: string }[] }): string[] {
	return people.map(({ name }) => name).toSorted();
}

/** The rooms' topics that a visitor is in, and by whose decision. */
function topicsOf({ client }: Visitor): string[] {
	return client.topics.map(({ topic, by }) => `${topic} by ${by}`).toSorted();
}

test('entering a room returns the node and the visitor; the list says who of that node is there', async () => {
	await (await visit(port, 'Ada')).enter('lobby');
	const grace = await visit(port, 'Grace');
	const { node, you, isModerator } = await grace.enter('lobby');

	expect(node).toMatchObject({ name: 'node 1' });
	expect(you).toEqual({ id: grace.client.socketId, name: 'Grace' });
	expect(isModerator).toBe(false);
	const { people } = await grace.hear(Here);
	expect(people).toContainEqual(you);
	expect(names({ people })).toEqual(['Ada', 'Grace']);
});

test('the server puts visitors into rooms, one at a time, and the client knows', async () => {
	const ada = await visit(port, 'Ada');
	expect(topicsOf(ada)).toEqual([]);
	await ada.enter('lobby');
	expect(topicsOf(ada)).toEqual(['room:lobby by server', 'said:lobby by server']);
	await ada.enter('kitchen');

	expect(topicsOf(ada)).toEqual(['room:kitchen by server', 'said:kitchen by server']);
	expect(ada.changes).toContainEqual(
		expect.objectContaining({ topic: 'said:lobby', type: 'unsubscribed', code: 'left' }),
	);
});

test('a message reaches everyone in its room, the sender included', async () => {
	const [ada, grace] = await two();
	const id = crypto.randomUUID();
	const { at } = await ada.say('lobby', 'Hello', id);

	const said = { id, from: expect.objectContaining({ name: 'Ada' }), node: 'node 1', text: 'Hello', at };
	expect(await grace.hear(Said)).toEqual(said);
	expect(await ada.hear(Said)).toEqual(said);
});

test('a message does not reach visitors of other rooms, and can be sent only in its room', async () => {
	const [ada, grace] = await two();
	await expect(grace.say('kitchen', 'From outside')).rejects.toMatchObject({ code: 'not_in_room' });
	await grace.enter('kitchen');
	await grace.say('kitchen', 'In the kitchen');
	await grace.enter('lobby');
	await grace.say('lobby', 'In the lobby');

	await ada.hear(Said);
	expect(ada.heard(Said).map(({ text }) => text)).toEqual(['In the lobby']);
});

describe('who is here', () => {
	test('is sent when someone enters, leaves, changes rooms or changes names', async () => {
		const [ada, grace] = await two();
		const hears = (...expected: string[]) => ada.hear(Here, (list) => names(list).join() === expected.join());
		await hears('Ada', 'Grace');
		await grace.client.request(Rename, { name: 'Hopper' });
		await hears('Ada', 'Hopper');
		await grace.enter('kitchen');
		await hears('Ada');
		await grace.enter('lobby');
		await grace.client.close();

		await until(() => names(ada.heard(Here).at(-1) ?? { people: [] }).join() === 'Ada', { what: 'Grace is gone' });
	});

	test('is repeated, so that a list that is not can be dropped', async () => {
		const ada = await visit(port, 'Ada');
		await ada.enter('lobby');

		await until(() => ada.heard(Here).length >= 3, { what: 'two beats', timeoutMs: 8_000 });
		expect(new Set(ada.heard(Here).map(({ node }) => node.id)).size).toBe(1);
	});

	test('is sent per room', async () => {
		const [ada, grace] = await two();
		await grace.enter('kitchen');

		await ada.hear(Here, (list) => names(list).join() === 'Ada');
		expect(names(grace.heard(Here).at(-1) ?? { people: [] })).toEqual(['Grace']);
	});
});

test('others receive who is typing', async () => {
	const [ada, grace] = await two();
	await ada.client.send(Type, { room: 'lobby' });

	expect(await grace.hear(Typing)).toMatchObject({ from: { name: 'Ada' } });
});

test('names and texts arrive cleaned up, and markup as text', async () => {
	const [ada, grace] = await two();
	expect(await ada.client.request(Rename, { name: '  Ada \u0007\n Byron ' })).toEqual({ name: 'Ada Byron' });
	await ada.say('lobby', ' <b>1</b>\u0000\n2 👩‍🚀 \uD800 ');

	expect(await grace.hear(Said)).toMatchObject({ from: { name: 'Ada Byron' }, text: '<b>1</b>\n2 👩‍🚀' });
});

describe('a moderator', () => {
	const remove = (moderator: Visitor, { client: { socketId: id = '' } }: Visitor, room = 'lobby'): Promise<unknown> =>
		moderator.client.request(Remove, { id, room });

	test('removes someone from a room, who is told why, and can come back', async () => {
		const [ada, grace] = await two();
		const moderator = await visit(port, 'Barbara', MODERATOR_KEY);
		expect(await moderator.enter('lobby')).toMatchObject({ isModerator: true });
		await remove(moderator, grace);

		await until(() => topicsOf(grace).length === 0, { what: 'Grace is out of the room' });
		const why = { code: 'removed', message: 'Barbara has removed you from this room' };
		for (const topic of ['room:lobby', 'said:lobby']) {
			expect(grace.changes.at(-1)).toMatchObject({ type: 'unsubscribed', by: 'server', ...why });
			expect(grace.changes.filter((change) => change.topic === topic && change.type === 'unsubscribed')).toHaveLength(
				1,
			);
		}
		await ada.hear(Here, (list) => names(list).join() === 'Ada,Barbara');
		await expect(grace.say('lobby', 'Still here?')).rejects.toMatchObject({ code: 'not_in_room' });
		await ada.say('lobby', 'Quiet now');
		await moderator.hear(Said, ({ text }) => text === 'Quiet now');
		expect(grace.heard(Said)).toEqual([]);

		await grace.enter('lobby');
		await ada.say('lobby', 'Welcome back');
		expect(await grace.hear(Said)).toMatchObject({ text: 'Welcome back' });
	});

	test('is not obeyed about another room, nor about someone who has left', async () => {
		const [ada, grace] = await two();
		const moderator = await visit(port, 'Barbara', MODERATOR_KEY);
		await remove(moderator, grace, 'kitchen');
		await moderator.client.request(Remove, { id: crypto.randomUUID(), room: 'lobby' });

		await ada.say('lobby', 'All here');
		expect(await grace.hear(Said)).toMatchObject({ text: 'All here' });
	});

	test.each([undefined, 'another key'])('needs the key: not %j', async (key) => {
		const [, grace] = await two();
		const visitor = await visit(port, 'Barbara', key);

		await expect(remove(visitor, grace)).rejects.toMatchObject({ code: 'forbidden' });
		expect(topicsOf(grace)).toHaveLength(2);
	});
});

test('a restart request restarts the node that it names and no other', async () => {
	const ada = await visit(port, 'Ada');
	const { node } = await ada.enter('lobby');
	await ada.client.request(Restart, { id: crypto.randomUUID() });
	expect(restarts).toBe(0);

	await ada.client.request(Restart, { id: node.id });
	expect(restarts).toBe(1);
});

describe('a refused request changes nothing', () => {
	test.each([
		['a room with a blank', Enter.name, { room: 'no such room' }],
		['a room in another script', Enter.name, { room: 'кухня' }],
		['a room that is too long', Enter.name, { room: 'a'.repeat(33) }],
		['no room', Enter.name, {}],
		['an empty text', Say.name, { id: crypto.randomUUID(), room: 'lobby', text: ' \n\u200B ' }],
		['a text that is too long', Say.name, { id: crypto.randomUUID(), room: 'lobby', text: 'a'.repeat(501) }],
		['an invalid id', Say.name, { id: '1', room: 'lobby', text: 'Hello' }],
		['a name of blanks', Rename.name, { name: '\u200B \u2060' }],
		['a name that is too long', Rename.name, { name: 'E'.repeat(25) }],
	])('%s', async (_, name, data) => {
		const [ada, grace] = await two();
		// With the real schema, the client would refuse to send this.
		const anything = {
			'~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) },
		} as const;
		const sent = ada.client.request({ name, data: anything, reply: undefined }, data);

		await expect(sent).rejects.toMatchObject({ code: 'invalid_data' });
		await ada.say('lobby', 'Hello');
		expect(await grace.hear(Said)).toMatchObject({ from: { name: 'Ada' }, text: 'Hello' });
	});

	test.each([undefined, '', ' ', 'a'.repeat(25), 7])('the name %j ends the connection', async (name) => {
		await expect(visit(port, name)).rejects.toMatchObject({ end: { code: 4401 } });
	});

	test.each(['room:lobby', 'said:lobby', 'user:ada'])('%s, to which only the server subscribes', async (topic) => {
		const ada = await visit(port, 'Ada');

		await expect(ada.client.subscribe(topic)).rejects.toMatchObject({ code: 'forbidden' });
	});

	test('the messages of a room can be read only in it', async () => {
		const [ada, grace] = await two();
		await ada.say('lobby', 'Hello');
		await grace.enter('kitchen');

		await expect(grace.client.history(saidTopicOf('lobby'))).rejects.toMatchObject({ code: 'forbidden' });
		expect((await ada.client.history(saidTopicOf('lobby'))).messages).toHaveLength(1);
	});
});
