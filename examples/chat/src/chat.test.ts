import { until } from '@orijs/testkit';
import type { Logger } from '@orijs/websocket';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createChat } from './chat.ts';
import { userIdOf } from './entering.ts';
import { Enter, Remove, Rename, Restart, Said, Say, saidTopicOf } from './messages.ts';
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

/** The rooms' topics that a visitor is in, and by whose decision. */
function topicsOf({ client }: Visitor): string[] {
	return client.topics.map(({ topic, by }) => `${topic} by ${by}`).toSorted();
}

test('entering a room returns the node and the visitor, whose id is not what their browser sends', async () => {
	const browser = crypto.randomUUID();
	const grace = await visit(port, 'Grace', undefined, browser);
	const { node, you, isModerator } = await grace.enter('lobby');

	expect(node).toMatchObject({ name: 'node 1' });
	expect(you).toEqual({ id: userIdOf(browser), name: 'Grace' });
	expect(you.id).not.toBe(browser);
	expect(isModerator).toBe(false);
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
	test('changes when someone enters, changes names, changes rooms or leaves', async () => {
		const [ada, grace] = await two();
		const { untilHere } = ada.watch('lobby');
		await untilHere('Ada', 'Grace');
		await grace.client.request(Rename, { name: 'Hopper' });
		await untilHere('Ada', 'Hopper');
		await grace.enter('kitchen');
		await untilHere('Ada');
		await grace.enter('lobby');
		await untilHere('Ada', 'Hopper');
		await grace.client.close();
		await untilHere('Ada');
	});

	test('says on which node, and counts the tabs of a visitor', async () => {
		const browser = crypto.randomUUID();
		const [one, two] = [await visit(port, 'Ada', undefined, browser), await visit(port, 'Ada', undefined, browser)];
		const { you } = await one.enter('lobby');
		await two.enter('lobby');
		const { handle } = one.watch('lobby');
		const tabs = (): (number | undefined)[] => handle.members.map(({ connections }) => connections);

		await until(() => tabs().join() === '2', { what: 'Ada is there once, with two tabs' });
		expect(handle.members).toMatchObject([{ userId: you.id, info: { name: 'Ada', node: 'node 1' } }]);
		await two.enter('kitchen');
		await until(() => tabs().join() === '1', { what: 'Ada has one tab' });
	});

	test('is told only to those who are in the room', async () => {
		const [ada, grace] = await two();
		await grace.enter('kitchen');
		const { handle, untilHere } = grace.watch('lobby');
		await ada.say('lobby', 'Only us');
		expect(handle.members).toEqual([]);

		await grace.enter('lobby');
		await untilHere('Ada', 'Grace');
	});
});

describe('a visitor says', () => {
	test('whether they are typing', async () => {
		const [ada, grace] = await two();
		const { handle: here } = ada.watch('lobby');
		const { handle: seen } = grace.watch('lobby');
		const typing = (): unknown[] =>
			seen.members.filter(({ info }) => info?.['typing']).map(({ info }) => info?.['name']);
		await here.update({ typing: true });
		await until(() => typing().join() === 'Ada', { what: 'Ada is typing' });
		await here.update({ typing: false });
		await until(() => typing().length === 0, { what: 'Ada is not typing' });
	});

	test('nothing else, and nothing that the server says', async () => {
		const [ada, grace] = await two();
		const { handle: here } = ada.watch('lobby');
		const { handle: seen } = grace.watch('lobby');
		await expect(here.update({ colour: 'red' })).rejects.toMatchObject({ code: 'invalid_data' });
		await expect(here.update({ typing: 'maybe' })).rejects.toMatchObject({ code: 'invalid_data' });
		await here.update({ name: 'Root', typing: true });
		const infos = (): unknown[] => seen.members.map(({ info }) => info);
		await until(() => JSON.stringify(infos()).includes('typing'), { what: 'the update has arrived' });

		expect(infos()).toContainEqual({ name: 'Ada', node: 'node 1', typing: true });
	});
});

test('names and texts arrive cleaned up, and markup as text', async () => {
	const [ada, grace] = await two();
	expect(await ada.client.request(Rename, { name: '  Ada \u0007\n Byron ' })).toEqual({ name: 'Ada Byron' });
	await ada.say('lobby', ' <b>1</b>\u0000\n2 👩‍🚀 \uD800 ');

	expect(await grace.hear(Said)).toMatchObject({ from: { name: 'Ada Byron' }, text: '<b>1</b>\n2 👩‍🚀' });
});

describe('a moderator', () => {
	const remove = (moderator: Visitor, { id }: Visitor, room = 'lobby'): Promise<unknown> =>
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
		await ada.watch('lobby').untilHere('Ada', 'Barbara');
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
