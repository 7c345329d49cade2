import type { FromServer, Joined, Said } from '../protocol.ts';
import { startComposer, focusComposer, showProblem } from './composer.ts';
import { connect, type ConnectionState } from './connection.ts';
import { make } from './element.ts';
import { showConnection, showRoom } from './head.ts';
import { clearLog, showMessage, showNotice } from './log.ts';
import { nodeSign } from './looks.ts';
import { currentName, drawName, startName } from './name.ts';
import { currentRoom, startRooms } from './rooms.ts';

let node = '';
/** Our own `from`. */
let you = '';
/** The room we are in; none while there is no connection, or on the way to another room. */
let joinedRoom: string | undefined;
/** The room whose messages are in the log. */
let shownRoom: string | undefined;
let lostAt: number | undefined;
/** Sent, and not come back yet: what is said is told to everyone, us included. */
let unconfirmed: string[] = [];

startName(join);
startRooms(join);
startComposer(say);
const connection = connect({ state: onState, message: onMessage });

function join(): void {
	const name = currentName();
	if (name === undefined) return;
	joinedRoom = undefined;
	connection.send({ type: 'join', name, room: currentRoom() });
	focusComposer();
}

function say(text: string): boolean {
	if (joinedRoom === undefined || !connection.send({ type: 'say', text })) {
		showProblem('Not in a room just now. What you wrote stays here.');
		return false;
	}
	unconfirmed.push(text);
	return true;
}

function onState(state: ConnectionState): void {
	if (state !== 'connected') showConnection(state, node);
	if (state === 'waiting' && joinedRoom !== undefined) onLost();
}

function onLost(): void {
	joinedRoom = undefined;
	lostAt = Date.now();
	for (const text of unconfirmed)
		showNotice('The connection broke, and this may not have arrived: ', make('q', '', text));
	unconfirmed = [];
}

function onMessage(message: FromServer): void {
	if (message.type === 'welcome') {
		({ node, you } = message);
		showConnection('connected', node);
		join();
	} else if (message.type === 'joined') {
		onJoined(message);
	} else if (message.type === 'problem') {
		showProblem(message.reason);
	} else if (message.room === shownRoom) {
		if (message.type === 'said') onSaid(message);
		else
			showNotice(
				make('bdi', 'name', message.name),
				` ${message.type === 'entered' ? 'joined' : 'left'} `,
				nodeSign(message.node),
			);
	}
}

function onJoined({ name, room }: Joined): void {
	drawName(name);
	joinedRoom = room;
	if (room !== shownRoom) {
		shownRoom = room;
		clearLog();
		showRoom(room);
		showNotice('You are in ', make('bdi', 'name', `#${room}`), ' as ', make('bdi', 'name', name), ' ', nodeSign(node));
	} else if (lostAt !== undefined) {
		const seconds = Math.max(1, Math.round((Date.now() - lostAt) / 1_000));
		showNotice(`You were away for ${seconds}\u00A0s. What was said meanwhile is not shown.`);
	}
	lostAt = undefined;
}

function onSaid(said: Said): void {
	const isMine = said.from === you;
	const sent = isMine ? unconfirmed.indexOf(said.text) : -1;
	if (sent !== -1) unconfirmed.splice(sent, 1);
	showMessage(said, isMine);
}
