import { type AuthAnswer, BuiltIn } from '@orijs/websocket/protocol';
import type { Failures } from '../failures.ts';
import { MAX_DELAY_MS } from '../options.ts';
import { isAuthAnswer } from './answers.ts';
import type { Connection } from './connection.ts';
import { type DelayBounds, fullJitter } from './reconnect-policy.ts';

/** Renews the credentials of a connection before they expire. */
export class Renewal {
	readonly #connection: Connection;
	readonly #credentials: () => Promise<unknown>;
	readonly #failures: Failures;
	readonly #backoff: DelayBounds;
	/** Settled when all renewals so far are over. One at a time, so that the newest credentials are sent last. */
	#last: Promise<void> = Promise.resolve();
	#timer: ReturnType<typeof setTimeout> | undefined;
	/** How often the client's own renewals have failed in a row. */
	#failed = 0;
	/** When the credentials expire, by the monotonic clock. */
	#expiry = Infinity;

	/** @param credentials calls `auth()` @param backoff bounds the delays after failures */
	constructor(connection: Connection, credentials: () => Promise<unknown>, failures: Failures, backoff: DelayBounds) {
		this.#connection = connection;
		this.#credentials = credentials;
		this.#failures = failures;
		this.#backoff = backoff;
	}

	/**
	 * Called when the server has accepted credentials. Renews them after 50 to 90 percent of the time for which they are
	 * valid: at random, because many clients may have connected at the same time.
	 */
	accepted({ expiresInMs }: AuthAnswer): void {
		this.stop();
		this.#failed = 0;
		this.#expiry = performance.now() + (expiresInMs ?? Infinity);
		if (expiresInMs !== undefined) this.#after(expiresInMs * (0.5 + Math.random() * 0.4));
	}

	/** Calls `auth()`, and resolves once the server has accepted the result. */
	renew(): Promise<void> {
		const renewed = this.#last.then(async () => {
			const answer = await this.#connection.ask(BuiltIn.auth, await this.#credentials());
			if (isAuthAnswer(answer) && this.#connection.isOpen) this.accepted(answer);
		});
		this.#last = renewed.catch(() => {});
		return renewed;
	}

	stop(): void {
		clearTimeout(this.#timer);
	}

	#after(ms: number): void {
		this.#timer = setTimeout(
			() => {
				if (ms > MAX_DELAY_MS) this.#after(ms - MAX_DELAY_MS);
				else void this.#renewOrRetry();
			},
			Math.min(ms, MAX_DELAY_MS),
		);
	}

	/** If it keeps failing, the server closes the connection when the credentials expire. */
	async #renewOrRetry(): Promise<void> {
		try {
			await this.renew();
		} catch (error) {
			if (!this.#connection.isOpen) return;
			if (!this.#failed) this.#failures.report(error, 'auth');
			this.stop();
			// Several attempts are left until the credentials expire, however long it has been failing.
			const most = Math.max(250, (this.#expiry - performance.now()) / 4);
			this.#after(Math.min(most, fullJitter(this.#failed++, this.#backoff)));
		}
	}
}
