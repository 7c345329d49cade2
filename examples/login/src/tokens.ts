import { z } from 'zod';
import { type Login, Logins, type StartedLogin } from './logins.ts';
import type { User } from './messages.ts';

/** The data of the first frame that a program sends: `{ type: '@auth', data: { token } }`. */
const AuthData = z.object({ token: z.string() });

/**
 * The logins of programs, which use short-lived tokens. A token is sent in the first frame of a connection and not in
 * the URL, which would end up in the logs of every server on the way.
 */
export class Tokens {
	readonly #logins: Logins;

	constructor(lifetimeMs: number) {
		this.#logins = new Logins(lifetimeMs);
	}

	issue(user: User): StartedLogin {
		return this.#logins.start(user);
	}

	/** Returns the login of a token. @param auth the data of the first frame, not validated */
	find(auth: unknown): Login | undefined {
		const { success, data } = AuthData.safeParse(auth);
		return success ? this.#logins.find(data.token) : undefined;
	}

	/** Renews the login of the token in the `Authorization` header. Returns undefined if the token is not valid. */
	renew(headers: Headers): Login | undefined {
		const token = bearer(headers);
		return token === undefined ? undefined : this.#logins.renew(token);
	}

	/** Ends the login of the token in the `Authorization` header, if any, and closes its sockets. */
	end(headers: Headers): void {
		const token = bearer(headers);
		if (token !== undefined) this.#logins.end(token);
	}
}

function bearer(headers: Headers): string | undefined {
	return /^Bearer (\S+)$/i.exec(headers.get('authorization') ?? '')?.[1];
}
