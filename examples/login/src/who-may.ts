/** Permissions: all decisions about what a user may do over a socket. */
import type { AppSocket, Authenticate, MessageGuard } from '@orijs/core';
import type { Board } from './board.ts';
import type { Login } from './logins.ts';
import { NOTES_TOPIC, type RemoveNote, type User, userTopic } from './messages.ts';
import type { Sessions } from './sessions.ts';
import type { Tokens } from './tokens.ts';

/** The state of a connection: what handlers know about the sender of a message. */
export interface LoggedIn {
	login: Login;
	user: User;
}

/**
 * Admits clients with a valid token in the first frame or, if that frame contains no data, with a session cookie. Runs
 * again whenever a client renews its credentials on a live connection.
 */
export function mayConnect(sessions: Sessions, tokens: Tokens): Authenticate<LoggedIn> {
	return async (ctx) => {
		const { auth, cookies, state } = ctx;
		const login = auth === undefined ? sessions.find(cookies) : tokens.find(auth);
		if (login === undefined) return false;
		// A connection ends with the login that has opened it, so it can't go on with another one.
		if ((state.login ?? login) !== login) return false;
		state.login = login;
		state.user = login.user;
		ctx.userId = login.user.name;
		ctx.expiresAt = login.expiresAt;
		await ctx.subscribe(userTopic(login.user.name));
		return true;
	};
}

/** Allows every user to subscribe to the notes. To their own topic, the server has subscribed them. */
export function maySubscribe(_ws: AppSocket, topic: string): boolean {
	return topic === NOTES_TOPIC;
}

/** Allows authors and admins to remove a note. Lets unknown notes pass, because the handler reports those. */
export function mayRemove(board: Board): MessageGuard<LoggedIn, typeof RemoveNote> {
	return ({ state: { user }, data }) => {
		const note = board.find(data.id);
		return note === undefined || user.role === 'admin' || note.author === user.name;
	};
}
