import { z } from 'zod';
import {
	NotePosted,
	NoteRemoved,
	NOTES_TOPIC,
	NoteTakenDown,
	OnlineChanged,
	PostNote,
	ReadBoard,
	RemoveNote,
	userTopic,
} from '../messages.ts';
import { Connection, type ConnectionState } from './connection.ts';
import { byId } from './element.ts';
import { showOnline, showState, showUser } from './head.ts';
import { hideLoginForm, showLoginForm, startLoginForm } from './login-form.ts';
import { addNote, dropNote, showNotes, startNotes } from './notes.ts';
import { focusPostBox, reasonOf, showProblem, startPostBox } from './post-box.ts';

// The page's content security policy allows no code made from strings.
z.config({ jitless: true });

const board = byId('board', HTMLElement);

const connection = new Connection(onState)
	.on(NotePosted, addNote)
	.on(NoteRemoved, ({ id }) => dropNote(id))
	.on(OnlineChanged, ({ online }) => showOnline(online))
	.on(NoteTakenDown, ({ by, text }) => showProblem(`${by} took down your note “${text}”`));

startLoginForm(() => connection.open());
startNotes((id) => {
	connection.request(RemoveNote, { id }).catch((error: unknown) => showProblem(reasonOf(error)));
});
startPostBox((text) => connection.request(PostNote, { text }));
byId('log-out', HTMLButtonElement).addEventListener('click', () => {
	// That we are logged out we hear from the socket, as other tabs do.
	fetch('/logout', { method: 'POST' }).catch(() =>
		showProblem('The server can’t be reached. You are still logged in.'),
	);
});
connection.open();

function onState(state: ConnectionState): void {
	showState(state);
	if (state === 'connected') void showBoard();
	if (state !== 'refused') return;
	showLoginForm(board.hidden ? '' : 'You are logged out.');
	board.hidden = true;
}

async function showBoard(): Promise<void> {
	try {
		// First the topic, then the board: what happens in between comes twice rather than never.
		await connection.subscribe(NOTES_TOPIC);
		const { you, notes, online } = await connection.request(ReadBoard, {});
		await connection.subscribe(userTopic(you.name));
		showUser(you);
		showNotes(notes, you);
		showOnline(online);
	} catch (error) {
		// If the connection has ended it comes back, and so do we.
		showProblem(reasonOf(error));
		return;
	}
	showProblem('');
	hideLoginForm();
	if (!board.hidden) return;
	board.hidden = false;
	focusPostBox();
}
