import type { BunRequest, CookieMap } from 'bun';
import { type Login, Logins } from './logins.ts';
import type { User } from './messages.ts';

const COOKIE = 'session';

/**
 * The logins of browsers. Each browser has a cookie that scripts can't read and that forms on other sites can't send.
 */
export class Sessions {
	readonly #logins: Logins;

	constructor(lifetimeMs: number) {
		this.#logins = new Logins(lifetimeMs);
	}

	/** Logs a browser in, after ending its previous session. */
	start(req: BunRequest, user: User): void {
		this.end(req);
		const { secret, login } = this.#logins.start(user);
		setCookie(req, secret, login);
	}

	find(cookies: CookieMap): Login | undefined {
		const secret = cookies.get(COOKIE);
		return secret === null ? undefined : this.#logins.find(secret);
	}

	/** Renews a browser's session and its cookie. Returns undefined if the browser is not logged in. */
	renew(req: BunRequest): Login | undefined {
		const secret = req.cookies.get(COOKIE);
		const login = secret === null ? undefined : this.#logins.renew(secret);
		if (secret !== null && login !== undefined) setCookie(req, secret, login);
		return login;
	}

	/** Logs a browser out, and closes the sockets of all its tabs. */
	end(req: BunRequest): void {
		const secret = req.cookies.get(COOKIE);
		if (secret === null) return;
		this.#logins.end(secret);
		req.cookies.delete(COOKIE, { path: '/' });
	}
}

function setCookie(req: BunRequest, secret: string, login: Login): void {
	req.cookies.set(COOKIE, secret, {
		httpOnly: true,
		sameSite: 'lax',
		secure: isHttps(req),
		path: '/',
		expires: new Date(login.expiresAt),
	});
}

/**
 * Whether the browser uses HTTPS. Forging the header does no harm: the cookie is then just not sent over plain HTTP.
 */
function isHttps(req: Request): boolean {
	return new URL(req.url).protocol === 'https:' || req.headers.get('x-forwarded-proto')?.startsWith('https') === true;
}
