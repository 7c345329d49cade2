import { CloseCode } from '@orijs/websocket/protocol';
import type { User } from './messages.ts';

/** The part of a socket that a login uses. */
interface Closable {
	close(code: number, reason: string): void;
}

/** A user's login, which ends when the user logs out or when it expires. Its sockets are closed at its end. */
export class Login {
	readonly user: User;
	/** When the login expires, in milliseconds since the epoch. */
	readonly expiresAt: number;
	readonly #sockets = new Set<Closable>();
	#isOver = false;

	constructor(user: User, expiresAt: number) {
		this.user = user;
		this.expiresAt = expiresAt;
	}

	get isOver(): boolean {
		return this.#isOver || Date.now() >= this.expiresAt;
	}

	/** Adds a socket to the login. If the login has ended, closes the socket and returns false. */
	attach(socket: Closable): boolean {
		if (this.isOver) {
			socket.close(CloseCode.unauthorized, 'logged out');
			return false;
		}
		this.#sockets.add(socket);
		return true;
	}

	/** Removes a closed socket. Returns whether it belonged to the login. */
	detach(socket: Closable): boolean {
		return this.#sockets.delete(socket);
	}

	/** Ends the login and closes its sockets. The close code tells clients to log in again before they reconnect. */
	end(reason: string): void {
		this.#isOver = true;
		for (const socket of this.#sockets) socket.close(CloseCode.unauthorized, reason);
	}
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
	readonly #byDigest = new Map<string, Login>();

	constructor(lifetimeMs: number) {
		this.#lifetimeMs = lifetimeMs;
	}

	start(user: User): StartedLogin {
		const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url');
		const login = new Login(user, Date.now() + this.#lifetimeMs);
		const digest = digestOf(secret);
		this.#byDigest.set(digest, login);
		// Ends the login even if it is never used again. The timer is unreferenced, so that it does not keep the process
		// alive.
		setTimeout(() => this.#end(digest, 'login expired'), this.#lifetimeMs).unref();
		return { secret, login };
	}

	find(secret: string): Login | undefined {
		const login = this.#byDigest.get(digestOf(secret));
		return login === undefined || login.isOver ? undefined : login;
	}

	/** Ends the login with this secret, if there is one. */
	end(secret: string): void {
		this.#end(digestOf(secret), 'logged out');
	}

	#end(digest: string, reason: string): void {
		this.#byDigest.get(digest)?.end(reason);
		this.#byDigest.delete(digest);
	}
}

function digestOf(secret: string): string {
	return Bun.SHA256.hash(secret, 'hex');
}
