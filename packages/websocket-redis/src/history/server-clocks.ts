import type { Redis } from 'ioredis';

/** How far the clocks of Redis servers are ahead of this process's monotonic clock, as far as replies have shown. */
export class ServerClocks {
	readonly #aheadMs = new WeakMap<Redis, number>();

	/**
	 * A server has replied with its time. It read its clock after the command was sent, so the difference is too large
	 * by the delay of the command. The smallest difference is remembered.
	 *
	 * @param serverMs by the server's clock, in milliseconds since the epoch
	 * @param sentAt when the command was sent, by the monotonic clock
	 */
	learn(client: Redis, serverMs: number, sentAt: number): void {
		this.#aheadMs.set(client, Math.min(this.#aheadMs.get(client) ?? Infinity, serverMs - sentAt));
	}

	/** As `learn`, for a clock that may have been set forward. */
	learnAgain(client: Redis, serverMs: number, sentAt: number): void {
		this.#aheadMs.set(client, serverMs - sentAt);
	}

	/** Returns a time of the monotonic clock by the server's clock, or undefined if that is not known yet. */
	timeOn(client: Redis, monotonicMs: number): number | undefined {
		const aheadMs = this.#aheadMs.get(client);
		return aheadMs === undefined ? undefined : aheadMs + monotonicMs;
	}
}
