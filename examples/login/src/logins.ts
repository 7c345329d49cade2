import { CloseCode } from '@orijs/websocket/protocol';
import type { User } from './messages.ts';

/** The part of a socket that a login uses. */
interface Closable {
	close(code: number, reason: string): void;
}

/** A user's login, until they log out or it expires. Its sockets are closed with it. */
export class Login {
	readonly user: User;
	/** Milliseconds since the epoch. */
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

	/** Adds a socket to the login. Returns false, and closes the socket, if the login has ended. */
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

	/** Closes the sockets. The close code tells clients not to reconnect before logging in again. */
	end(reason: string): void {
		this.#isOver = true;
		for (const socket of this.#sockets) socket.close(CloseCode.unauthorized, reason);
	}
}

export interface StartedLogin {
	/** Proves who the user is. Known only to the client. */
	readonly secret: string;
	readonly login: Login;
}

/**
 * Logins by their secrets. A secret is random and means nothing outside this store, so it can't be forged, and ending a
 * login takes effect at once. The store keeps digests: leaked contents are useless, and the time of a look-up reveals
 * nothing about valid secrets.
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
		// Logins expire even if they are never used again. The timer does not keep a stopped process alive.
		setTimeout(() => this.#end(digest, 'login expired'), this.#lifetimeMs).unref();
		return { secret, login };
	}

	find(secret: string): Login | undefined {
		const login = this.#byDigest.get(digestOf(secret));
		return login === undefined || login.isOver ? undefined : login;
	}

	/** Idempotent. */
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
