import { type ClientState, SocketClient, type Subscription } from '@orijs/websocket-client';
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
import { byId } from '@orijs/examples-shared/element';
import { showOnline, showState, showUser } from './head.ts';
import { hideLoginForm, showLoginForm, startLoginForm } from './login-form.ts';
import { addNote, dropNote, showNotes, startNotes } from './notes.ts';
import { focusPostBox, reasonOf, showProblem, startPostBox } from './post-box.ts';

// The page's content security policy forbids evaluating strings as code, which zod would otherwise do.
z.config({ jitless: true });

const board = byId('board', HTMLElement);

/** The client needs no `auth` option: the browser sends the cookie with the upgrade, which is enough for the server. */
const client = new SocketClient('/ws');
/** The subscriptions while the user is logged in. The client restores them after a reconnect. */
let subscriptions: Promise<Subscription>[] = [];

client.on(NotePosted, addNote);
client.on(NoteRemoved, ({ id }) => dropNote(id));
client.on(OnlineChanged, ({ online }) => showOnline(online));
client.on(NoteTakenDown, ({ by, text }) => showProblem(`${by} took down your note “${text}”`));
client.onStateChange(onState);

startLoginForm(() => void open());
startNotes((id) => {
	client.request(RemoveNote, { id }).catch((error: unknown) => showProblem(reasonOf(error)));
});
startPostBox((text) => client.request(PostNote, { text }));
byId('log-out', HTMLButtonElement).addEventListener('click', () => {
	// The server closes the sockets of all tabs, including this one, which then show the login form.
	fetch('/logout', { method: 'POST' }).catch(() =>
		showProblem('The server can’t be reached. You are still logged in.'),
	);
});
void open();

function onState(state: ClientState): void {
	showState(state);
	if (state !== 'closed') return;
	for (const subscription of subscriptions.splice(0)) void subscription.then((one) => one.close()).catch(() => {});
	showLoginForm(board.hidden ? '' : 'You are logged out.');
	board.hidden = true;
}

async function open(): Promise<void> {
	try {
		await client.connect();
	} catch {
		// The user is not logged in. The state listener handles this.
		return;
	}
	// Subscribes before reading the board, so that a change in between arrives twice rather than never.
	const notes = client.subscribe(NOTES_TOPIC, { onGap: () => void showBoard() });
	subscriptions = [notes];
	await notes.then(showBoard, (error: unknown) => showProblem(reasonOf(error)));
}

/** Loads the board: at the start, and whenever messages may be missing. */
async function showBoard(): Promise<void> {
	try {
		const { you, notes, online } = await client.request(ReadBoard, {});
		if (subscriptions.length === 1) subscriptions.push(client.subscribe(userTopic(you.name)));
		await Promise.all(subscriptions);
		showUser(you);
		showNotes(notes, you);
		showOnline(online);
	} catch (error) {
		// If the connection was lost, `onGap` is called after the reconnect and loads the board again.
		showProblem(reasonOf(error));
		return;
	}
	showProblem('');
	hideLoginForm();
	if (!board.hidden) return;
	board.hidden = false;
	focusPostBox();
}
