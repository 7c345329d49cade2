import { z } from 'zod';
import { type Login, Logins, type StartedLogin } from './logins.ts';
import type { User } from './messages.ts';

/** What a program says first: `{ type: '@auth', data: { token } }`. */
const AuthData = z.object({ token: z.string() });

/**
 * The way in for programs: a short-lived token, shown in the first frame of a connection. Not in its URL, which ends up in the logs of
 * every server on the way.
 */
export class Tokens {
	readonly #logins: Logins;

	constructor(lifetimeMs: number) {
		this.#logins = new Logins(lifetimeMs);
	}

	issue(user: User): StartedLogin {
		return this.#logins.start(user);
	}

	/** @param auth the first frame's data, whatever it is */
	find(auth: unknown): Login | undefined {
		const { success, data } = AuthData.safeParse(auth);
		return success ? this.#logins.find(data.token) : undefined;
	}

	/** Ends the login of the token in the `Authorization` header, if there is one, and closes its sockets. */
	end(headers: Headers): void {
		const token = /^Bearer (\S+)$/i.exec(headers.get('authorization') ?? '')?.[1];
		if (token !== undefined) this.#logins.end(token);
	}
}
