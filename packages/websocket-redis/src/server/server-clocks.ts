import type { Redis } from 'ioredis';

/**
 * Estimates how far the clock of each Redis server is ahead of this process's monotonic clock, from the server's
 * replies.
 */
export class ServerClocks {
	readonly #aheadMs = new WeakMap<Redis, number>();

	/**
	 * Records the time in a server's reply. The server read its clock after the command was sent, so the difference is
	 * too large by the delay of the command. The smallest difference is remembered.
	 *
	 * @param serverMs by the server's clock, in milliseconds since the epoch
	 * @param sentAt when the command was sent, by the monotonic clock
	 */
	learn(client: Redis, serverMs: number, sentAt: number): void {
		this.#aheadMs.set(client, Math.min(this.#aheadMs.get(client) ?? Infinity, serverMs - sentAt));
	}

	/** Like `learn`, but discards the earlier difference, because the server's clock may have been set forward. */
	learnAgain(client: Redis, serverMs: number, sentAt: number): void {
		this.#aheadMs.set(client, serverMs - sentAt);
	}

	/**
	 * Converts a time of the monotonic clock to the server's clock. Returns undefined if no reply has shown that clock
	 * yet.
	 */
	timeOn(client: Redis, monotonicMs: number): number | undefined {
		const aheadMs = this.#aheadMs.get(client);
		return aheadMs === undefined ? undefined : aheadMs + monotonicMs;
	}
}
