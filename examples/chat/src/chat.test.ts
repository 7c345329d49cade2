import { until } from '@orijs/testkit';
import { SocketRequestError } from '@orijs/websocket-client';
import type { Logger } from '@orijs/websocket';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createChat } from './chat.ts';
import { Enter, Here, Rename, Restart, Said, Say, topicOf, Type, Typing } from './messages.ts';
import { allLeave, visit, type Visitor } from './test-support/visitor.ts';

/** Prints only errors, because refusals are expected here. */
const quiet: Logger = { debug() {}, info() {}, warn() {}, error: console.error };

let chat: ReturnType<typeof createChat>;
let port: number | undefined;
let restarts: number;

beforeEach(async () => {
	restarts = 0;
	chat = createChat({ name: 'node 1', restart: () => void restarts++, logger: quiet });
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

test('entering a room returns the node, the visitor, and who of that node is there', async () => {
	await (await visit(port, 'Ada')).enter('lobby');
	const grace = await visit(port, 'Grace');
	const { node, you, people } = await grace.enter('lobby');

	expect(node).toMatchObject({ name: 'node 1' });
	expect(you.name).toBe('Grace');
	expect(people).toContainEqual(you);
	expect(names({ people })).toEqual(['Ada', 'Grace']);
});

test('a message reaches everyone in its room, the sender included', async () => {
	const [ada, grace] = await two();
	const id = crypto.randomUUID();
	const { at } = await ada.say('lobby', 'Hello', id);

	const said = { id, from: expect.objectContaining({ name: 'Ada' }), node: 'node 1', text: 'Hello', at };
	expect(await grace.hear(Said)).toEqual(said);
	expect(await ada.hear(Said)).toEqual(said);
});

test('a message does not reach visitors who have not subscribed to its room', async () => {
	const [ada, grace] = await two();
	await grace.say('kitchen', 'In the kitchen');
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
		const { people } = await grace.enter('kitchen');

		expect(names({ people })).toEqual(['Grace']);
		await ada.hear(Here, (list) => names(list).join() === 'Ada');
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

	test.each(['room:', 'room:a:b c', 'kitchen', `room:${'a'.repeat(33)}`, 'user:ada'])('the topic %j', async (topic) => {
		const ada = await visit(port, 'Ada');
		const refused = await ada.client.subscribe(topic).catch((error: unknown) => error);

		expect(refused).toBeInstanceOf(Error);
		if (refused instanceof SocketRequestError) expect(refused.code).toBe('forbidden');
		await ada.client.subscribe(topicOf('lobby'));
	});
});
