/** Permissions: every decision on what a user may do over a socket. */
import type { AppSocket, ConnectionGuard, MessageGuard } from '@orijs/core';
import type { Board } from './board.ts';
import type { Login } from './logins.ts';
import { NOTES_TOPIC, type RemoveNote, type User, userTopic } from './messages.ts';
import type { Sessions } from './sessions.ts';
import type { Tokens } from './tokens.ts';

/** What the server keeps for a connection. */
export interface Connection {
	/** Set by the guard, so every open connection has one. */
	login: Login | undefined;
}

/** What message handlers know about the sender. */
export interface LoggedIn {
	user: User;
}

/** Admits clients with a token in the first frame or, if it has none, with a session cookie. */
export function mayConnect(sessions: Sessions, tokens: Tokens): ConnectionGuard<LoggedIn> {
	return ({ auth, cookies, data, state }) => {
		const login = auth === undefined ? sessions.find(cookies) : tokens.find(auth);
		if (login === undefined) return false;
		(data as Connection).login = login;
		state.user = login.user;
		return true;
	};
}

/** Every user may subscribe to the notes, and each user to their own topic. */
export function maySubscribe(_ws: AppSocket<Connection>, topic: string, { user }: LoggedIn): boolean {
	return topic === NOTES_TOPIC || topic === userTopic(user.name);
}

/** Authors and admins may remove a note. The handler reports notes that no longer exist. */
export function mayRemove(board: Board): MessageGuard<LoggedIn, typeof RemoveNote> {
	return ({ state: { user }, data }) => {
		const note = board.find(data.id);
		return note === undefined || user.role === 'admin' || note.author === user.name;
	};
}
