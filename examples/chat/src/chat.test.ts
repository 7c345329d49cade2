import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createChat } from './chat.ts';
import { visit, type Visitor } from './test-support/visitor.ts';

let chat: ReturnType<typeof createChat>;
let port: number | undefined;

beforeEach(async () => {
	chat = createChat({ node: 'node 1' });
	({ port } = await chat.listen(0));
});
afterEach(() => chat.stop());

/** Two visitors who are in one room. */
async function two(): Promise<readonly [Visitor, Visitor]> {
	const [ada, grace] = await Promise.all([visit(port), visit(port)]);
	await ada.join('Ada', 'lobby');
	await grace.join('Grace', 'lobby');
	await ada.hear('entered');
	return [ada, grace];
}

test('a visitor hears which node this is, and who they are', async () => {
	const ada = await visit(port);

	expect(await ada.hear('welcome')).toMatchObject({ node: 'node 1', you: expect.stringMatching(/^[0-9a-f-]{36}$/) });
});

test('what is said in a room reaches everyone in it, the one who says it included', async () => {
	const [ada, grace] = await two();
	const { you } = await ada.hear('welcome');
	ada.tell({ type: 'say', text: 'Hello' });

	const said = { room: 'lobby', from: you, name: 'Ada', node: 'node 1', text: 'Hello' };
	expect(await grace.hear('said')).toMatchObject(said);
	expect(await ada.hear('said')).toMatchObject(said);
});

test('others hear who comes and who goes', async () => {
	const ada = await visit(port);
	await ada.join('Ada', 'lobby');
	const grace = await visit(port);
	await grace.join('Grace', 'lobby');
	expect(await ada.hear('entered')).toMatchObject({ name: 'Grace', room: 'lobby' });

	await grace.close();
	expect(await ada.hear('left')).toMatchObject({ name: 'Grace', room: 'lobby' });
});

test('who joins another room has left the one before', async () => {
	const [ada, grace] = await two();
	await grace.join('Grace', 'kitchen');
	expect(await ada.hear('left')).toMatchObject({ name: 'Grace', room: 'lobby' });

	ada.tell({ type: 'say', text: 'Still there?' });
	await ada.hear('said');
	grace.tell({ type: 'say', text: 'In the kitchen' });
	expect(await grace.hear('said')).toMatchObject({ room: 'kitchen', text: 'In the kitchen' });
});

test('who hurries through rooms ends in the last one', async () => {
	const ada = await visit(port);
	for (const room of ['lobby', 'kitchen', 'attic']) ada.tell({ type: 'join', name: 'Ada', room });
	ada.tell({ type: 'say', text: 'Phew' });

	expect(await ada.hear('said')).toMatchObject({ room: 'attic' });
});

describe('what is refused gets an answer and harms nobody', () => {
	test.each([
		['a room with a blank', { type: 'join', name: 'Eve', room: 'no such room' }, /There can be no such room/],
		['a room in another script', { type: 'join', name: 'Eve', room: 'кухня' }, /There can be no such room/],
		['a room that is too long', { type: 'join', name: 'Eve', room: 'a'.repeat(33) }, /There can be no such room/],
		['a room that is no string', { type: 'join', name: 'Eve', room: ['lobby'] }, /There can be no such room/],
		['no room', { type: 'join', name: 'Eve' }, /There can be no such room/],
		['no name', { type: 'join', room: 'lobby' }, /at least one visible character/],
		['a name of blanks', { type: 'join', name: '\u200B \u2060', room: 'lobby' }, /at least one visible character/],
		['a name that is too long', { type: 'join', name: 'E'.repeat(25), room: 'lobby' }, /at most 24/],
		['an empty text', { type: 'say', text: ' \n ' }, /nothing to say/],
		['a text that is too long', { type: 'say', text: 'a'.repeat(501) }, /at most 500/],
		['a text in no room', { type: 'say', text: 'Hello' }, /Join a room first/],
		['another type', { type: 'shout', text: 'HELLO' }, /type "join" or "say"/],
		['an array', [], /type "join" or "say"/],
		['null', null, /JSON object/],
	])('%s', async (_, message, reason) => {
		const [ada, grace] = await two();
		const eve = await visit(port);
		eve.send(JSON.stringify(message));
		expect(await eve.hear('problem')).toMatchObject({ reason: expect.stringMatching(reason) });

		ada.tell({ type: 'say', text: 'Hello' });
		expect(await grace.hear('said')).toMatchObject({ text: 'Hello' });
		await eve.join('Eve', 'lobby');
	});

	test.each([
		['no JSON', '{"type":', /not JSON/],
		['a binary frame', new Uint8Array([1, 2, 3]), /text frames/],
		['a frame that is far too long', JSON.stringify({ type: 'say', text: 'a'.repeat(50_000) }), /far too long/],
	])('%s', async (_, frame, reason) => {
		const eve = await visit(port);
		eve.send(frame);

		expect(await eve.hear('problem')).toMatchObject({ reason: expect.stringMatching(reason) });
		await eve.join('Eve', 'lobby');
	});

	test('a bad room leaves one where one was', async () => {
		const [ada] = await two();
		ada.send(JSON.stringify({ type: 'join', name: 'Ada', room: '' }));
		await ada.hear('problem');
		ada.tell({ type: 'say', text: 'Still here' });

		expect(await ada.hear('said')).toMatchObject({ room: 'lobby' });
	});
});

test('names and texts arrive tidied up, and markup as what it is', async () => {
	const [ada, grace] = await two();
	await ada.join('  Ada \u0007\n Byron ', 'lobby');
	ada.tell({ type: 'say', text: ' <b>1</b>\u0000\n2 👩‍🚀 \uD800 ' });

	expect(await grace.hear('said')).toMatchObject({ name: 'Ada Byron', text: '<b>1</b>\n2 👩‍🚀' });
});
