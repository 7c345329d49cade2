import { describe, expect, test } from 'vitest';
import { Board } from './board.ts';
import {
	MAX_NOTES,
	NotePosted,
	NoteRemoved,
	NOTES_TOPIC,
	NoteTakenDown,
	OnlineChanged,
	PostNote,
	ReadBoard,
	RemoveNote,
} from './messages.ts';
import { ada, grace, linus, startBoard } from './test-support/boards.ts';
import { connect, cookieOf, type Member, type Port, tokenOf } from './test-support/member.ts';
import type { NewUser } from './users.ts';

async function browserOf(port: Port, user: NewUser): Promise<Member> {
	const client = await connect(port, { cookie: await cookieOf(port, user) });
	await client.subscribe(NOTES_TOPIC);
	return client;
}

test('a note reaches everyone at once, however they logged in', async () => {
	const port = await startBoard();
	const reader = await browserOf(port, ada);
	const program = await connect(port, { auth: { token: await tokenOf(port, grace) } });
	const { id } = await program.request(PostNote, { text: '  <b>Cake</b> in the kitchen ' });

	const note = { id, author: 'grace', text: '<b>Cake</b> in the kitchen', at: expect.any(Number) };
	expect(await reader.hear(NotePosted)).toEqual(note);
	expect((await reader.request(ReadBoard, {})).notes).toEqual([note]);
});

test('everyone sees who comes and goes; a user with two tabs is listed once', async () => {
	const port = await startBoard();
	const reader = await browserOf(port, ada);
	const cookie = await cookieOf(port, grace);
	const first = await connect(port, { cookie });
	expect(await reader.hear(OnlineChanged)).toEqual({ online: ['ada', 'grace'] });

	const second = await connect(port, { cookie });
	await second.request(ReadBoard, {});
	await first.close();
	expect((await reader.request(ReadBoard, {})).online).toEqual(['ada', 'grace']);
	await second.close();
	expect(await reader.hear(OnlineChanged)).toEqual({ online: ['ada'] });
});

describe('topics', () => {
	test('a user may subscribe to the notes, and is in their own topic already', async () => {
		const port = await startBoard();
		const client = await connect(port, { cookie: await cookieOf(port, grace) });

		expect(JSON.parse(String(await client.next()))).toMatchObject({ data: { topics: [{ topic: 'user:grace' }] } });
		await client.subscribe(NOTES_TOPIC);
	});

	test.each(['user:ada', 'user:', 'user:grace2', 'note', 'anything'])('%s is forbidden', async (topic) => {
		const client = await browserOf(await startBoard(), grace);

		expect((await client.ask('@subscribe', { topic })).error).toMatchObject({ code: 'forbidden' });
	});

	test('not even an admin may subscribe to the topic of another user', async () => {
		const client = await browserOf(await startBoard(), ada);

		expect((await client.ask('@subscribe', { topic: 'user:grace' })).error).toMatchObject({ code: 'forbidden' });
	});
});

describe('removing a note', () => {
	test('is allowed to its author', async () => {
		const client = await browserOf(await startBoard(), grace);
		const { id } = await client.request(PostNote, { text: 'Oops' });

		expect(await client.request(RemoveNote, { id })).toBeNull();
		expect(await client.hear(NoteRemoved)).toEqual({ id });
		expect((await client.request(ReadBoard, {})).notes).toEqual([]);
	});

	test('is forbidden to others', async () => {
		const port = await startBoard();
		const [author, other] = [await browserOf(port, grace), await browserOf(port, linus)];
		const { id } = await author.request(PostNote, { text: 'Stays' });

		expect((await other.ask(RemoveNote.name, { id })).error).toMatchObject({ code: 'forbidden' });
		expect((await author.request(ReadBoard, {})).notes).toHaveLength(1);
	});

	test('is allowed to admins, and the author is notified', async () => {
		const port = await startBoard();
		const [author, admin] = [await browserOf(port, grace), await browserOf(port, ada)];
		const { id } = await author.request(PostNote, { text: 'Free puppies' });
		await admin.request(RemoveNote, { id });

		expect(await author.hear(NoteRemoved)).toEqual({ id });
		expect(await author.hear(NoteTakenDown)).toEqual({ by: 'ada', text: 'Free puppies' });
	});

	test('that no longer exists is refused with no_such_note', async () => {
		const client = await browserOf(await startBoard(), grace);
		const { error } = await client.ask(RemoveNote.name, { id: crypto.randomUUID() });

		expect(error).toMatchObject({ code: 'no_such_note' });
	});
});

test.each([
	['an empty text', { text: ' \n ' }],
	['a text that is too long', { text: 'a'.repeat(501) }],
	['a text that is not a string', { text: { toString: 'x' } }],
	['nothing', undefined],
])('%s is no note', async (_, data) => {
	const client = await browserOf(await startBoard(), grace);

	expect((await client.ask(PostNote.name, data)).error).toMatchObject({ code: 'invalid_data' });
	expect((await client.request(ReadBoard, {})).notes).toEqual([]);
});

test('the author of a note is the logged-in user, whatever the message says', async () => {
	const client = await browserOf(await startBoard(), grace);
	await client.ask(PostNote.name, { text: 'Hello', author: 'ada' });

	expect(await client.hear(NotePosted)).toMatchObject({ author: 'grace' });
});

test('the board keeps the newest notes', () => {
	const board = new Board();
	for (let count = 0; count <= MAX_NOTES; count++) board.post('grace', String(count));

	expect(board.notes).toHaveLength(MAX_NOTES);
	expect(board.notes.at(0)?.text).toBe('1');
	expect(board.notes.at(-1)?.text).toBe(String(MAX_NOTES));
});
