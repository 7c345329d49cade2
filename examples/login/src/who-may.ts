/** Who may do what: everything about a socket that is forbidden to somebody is decided here. */
import type { AppSocket, ConnectionGuard, MessageGuard } from '@orijs/core';
import type { Board } from './board.ts';
import type { Login } from './logins.ts';
import { NOTES_TOPIC, type RemoveNote, type User, userTopic } from './messages.ts';
import type { Sessions } from './sessions.ts';
import type { Tokens } from './tokens.ts';

/** What the server keeps about a connection. */
export interface Connection {
	/** Set by the guard: when a connection is open, it has one. */
	login: Login | undefined;
}

/** What handlers of messages know about who sent them. */
export interface LoggedIn {
	user: User;
}

/** Lets in whoever shows a token in the first frame or, having shown nothing there, comes with the cookie of a session. */
export function mayConnect(sessions: Sessions, tokens: Tokens): ConnectionGuard<LoggedIn> {
	return ({ auth, cookies, data, state }) => {
		const login = auth === undefined ? sessions.find(cookies) : tokens.find(auth);
		if (login === undefined) return false;
		(data as Connection).login = login;
		state.user = login.user;
		return true;
	};
}

/** Everybody may hear about the notes; what concerns one user alone, only they. */
export function maySubscribe(_ws: AppSocket<Connection>, topic: string, { user }: LoggedIn): boolean {
	return topic === NOTES_TOPIC || topic === userTopic(user.name);
}

/** Notes are removed by their authors and by admins. That a note is gone is for the handler to say. */
export function mayRemove(board: Board): MessageGuard<LoggedIn, typeof RemoveNote> {
	return ({ state: { user }, data }) => {
		const note = board.find(data.id);
		return note === undefined || user.role === 'admin' || note.author === user.name;
	};
}
