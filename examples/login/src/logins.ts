import { CloseCode } from '@orijs/websocket/protocol';
import type { User } from './messages.ts';

/** The part of a socket that a login uses. */
interface Closable {
	close(code: number, reason: string): void;
}

/** A user's login. It ends when the user logs out, which closes its sockets, or when it is not renewed in time. */
export class Login {
	readonly user: User;
	readonly #lifetimeMs: number;
	readonly #sockets = new Set<Closable>();
	#expiresAt = 0;
	#isOver = false;

	constructor(user: User, lifetimeMs: number) {
		this.user = user;
		this.#lifetimeMs = lifetimeMs;
		this.renew();
	}

	/** When the login expires, in milliseconds since the epoch. */
	get expiresAt(): number {
		return this.#expiresAt;
	}

	get isOver(): boolean {
		return this.#isOver || Date.now() >= this.#expiresAt;
	}

	/** Lets the login last for another lifetime. Its sockets follow when their clients renew their credentials. */
	renew(): void {
		this.#expiresAt = Date.now() + this.#lifetimeMs;
	}

	/** Adds a socket, which is closed at the end of the login: at once, if that has ended already. */
	attach(socket: Closable): void {
		if (this.#isOver) logOut(socket);
		else this.#sockets.add(socket);
	}

	/** Removes a closed socket. */
	detach(socket: Closable): void {
		this.#sockets.delete(socket);
	}

	/** Ends the login and closes its sockets. */
	end(): void {
		this.#isOver = true;
		for (const socket of this.#sockets) logOut(socket);
	}
}

/** The close code tells clients to log in again before they reconnect. */
function logOut(socket: Closable): void {
	socket.close(CloseCode.unauthorized, 'logged out');
}

export interface StartedLogin {
	/** The secret that proves who the user is. Only the client knows it. */
	readonly secret: string;
	readonly login: Login;
}

/**
 * Stores logins by their secrets. A secret is random and has no meaning outside this store, so it can't be forged, and
 * ending a login takes effect immediately. The store only keeps digests of secrets, so leaked contents are useless, and
 * the duration of a look-up reveals nothing about valid secrets.
 */
export class Logins {
	readonly #lifetimeMs: number;
	readonly #byDigest = new Map<string, { readonly login: Login; readonly timer: NodeJS.Timeout }>();

	constructor(lifetimeMs: number) {
		this.#lifetimeMs = lifetimeMs;
	}

	start(user: User): StartedLogin {
		const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url');
		const login = new Login(user, this.#lifetimeMs);
		const digest = digestOf(secret);
		// Forgets a login that has expired. The timer is unreferenced, so that it does not keep the process alive.
		const timer = setTimeout(() => this.#byDigest.delete(digest), this.#lifetimeMs).unref();
		this.#byDigest.set(digest, { login, timer });
		return { secret, login };
	}

	find(secret: string): Login | undefined {
		const login = this.#byDigest.get(digestOf(secret))?.login;
		return login === undefined || login.isOver ? undefined : login;
	}

	/** Renews the login with this secret, and returns it. Returns undefined if there is no such login. */
	renew(secret: string): Login | undefined {
		const login = this.find(secret);
		if (login === undefined) return undefined;
		login.renew();
		this.#byDigest.get(digestOf(secret))?.timer.refresh();
		return login;
	}

	/** Ends the login with this secret, if there is one. */
	end(secret: string): void {
		const digest = digestOf(secret);
		this.#byDigest.get(digest)?.login.end();
		this.#byDigest.delete(digest);
	}
}

function digestOf(secret: string): string {
	return Bun.SHA256.hash(secret, 'hex');
}
