/** Permissions: all decisions about what a user may do over a socket. */
import type { AppSocket, Authenticate, MessageGuard } from '@orijs/core';
import type { Board } from './board.ts';
import type { Login } from './logins.ts';
import { NOTES_TOPIC, type RemoveNote, type User, userTopic } from './messages.ts';
import type { Sessions } from './sessions.ts';
import type { Tokens } from './tokens.ts';

/** The data that the server keeps for a connection. */
export interface Connection {
	/** The connection's login. `mayConnect` sets it, so every open connection has one. */
	login: Login | undefined;
}

/** The state of a connection: what handlers know about the sender of a message. */
export interface LoggedIn {
	user: User;
}

/** Admits clients with a valid token in the first frame or, if that frame contains no data, with a session cookie. */
export function mayConnect(sessions: Sessions, tokens: Tokens): Authenticate<LoggedIn> {
	return (ctx) => {
		const { auth, cookies, data, state } = ctx;
		const login = auth === undefined ? sessions.find(cookies) : tokens.find(auth);
		if (login === undefined) return false;
		(data as Connection).login = login;
		state.user = login.user;
		ctx.userId = login.user.name;
		return true;
	};
}

/** Allows every user to subscribe to the notes and to their own topic. */
export function maySubscribe(_ws: AppSocket<Connection>, topic: string, { user }: LoggedIn): boolean {
	return topic === NOTES_TOPIC || topic === userTopic(user.name);
}

/** Allows authors and admins to remove a note. Lets unknown notes pass, because the handler reports those. */
export function mayRemove(board: Board): MessageGuard<LoggedIn, typeof RemoveNote> {
	return ({ state: { user }, data }) => {
		const note = board.find(data.id);
		return note === undefined || user.role === 'admin' || note.author === user.name;
	};
}
