import { CloseCode } from '@orijs/websocket/protocol';
import type { User } from './messages.ts';

/** A socket, as far as a login is concerned. */
interface Closable {
	close(code: number, reason: string): void;
}

/** From the moment a user has logged in until they log out or their time is up. Its sockets end with it. */
export class Login {
	readonly user: User;
	/** Milliseconds since 1970. */
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

	/** Ties a socket to the login. Returns false, and closes the socket, if the login has ended meanwhile. */
	attach(socket: Closable): boolean {
		if (this.isOver) {
			socket.close(CloseCode.unauthorized, 'logged out');
			return false;
		}
		this.#sockets.add(socket);
		return true;
	}

	/** For a socket that has closed. Returns whether it was tied to the login. */
	detach(socket: Closable): boolean {
		return this.#sockets.delete(socket);
	}

	/** Closes the sockets. The code tells clients not to come back before they have logged in again. */
	end(reason: string): void {
		this.#isOver = true;
		for (const socket of this.#sockets) socket.close(CloseCode.unauthorized, reason);
	}
}

export interface StartedLogin {
	/** Whoever shows it is that user. Known to the client only. */
	readonly secret: string;
	readonly login: Login;
}

/**
 * Logins by their secrets: random, and meaningless to everyone but this store, so that there is nothing to forge, and ending one takes
 * effect at once. The store keeps digests: its contents are of no use to who might see them, and how long it takes to look for a wrong
 * secret says nothing about the right ones.
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
		// What expires has to go even if nobody ever asks for it again. The timer does not keep a stopped process alive.
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
