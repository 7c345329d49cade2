import { quiet, rejected } from '@orijs/websocket/internal';

/** A channel that is waiting to be subscribed on a shard. */
export interface UnassignedChannel {
	readonly channel: string;
	/**
	 * The time since which messages may be missing, by the monotonic clock; undefined if the channel was never
	 * subscribed.
	 */
	readonly since: number | undefined;
	/** Resolves when the channel is subscribed or no longer needed; rejects if it can't be subscribed. */
	readonly subscribed: PromiseWithResolvers<void>;
}

/**
 * Holds channels that wait for a shard: no primary serves their slot at the moment, or the slot is moving from one
 * primary to another.
 */
export class UnassignedChannels {
	readonly #waiting = new Map<string, UnassignedChannel>();
	#closed: Error | undefined;

	channels(): readonly string[] {
		return [...this.#waiting.keys()];
	}

	/** Whether a channel waits that was subscribed before. */
	wasSubscribed(channel: string): boolean {
		return this.#waiting.get(channel)?.since !== undefined;
	}

	/** Keeps channels until a shard serves them. Resolves when they are subscribed; the promise may be ignored. */
	wait(channels: readonly string[], since: number | undefined): Promise<void> {
		if (this.#closed !== undefined) return rejected(this.#closed);
		const all = channels.map((channel) => {
			let unassigned = this.#waiting.get(channel);
			if (unassigned === undefined) {
				unassigned = { channel, since, subscribed: Promise.withResolvers<void>() };
				this.#waiting.set(channel, unassigned);
			}
			return unassigned.subscribed.promise;
		});
		return quiet(Promise.all(all).then(() => {}));
	}

	/** Removes channels, so that they can be subscribed on a shard. */
	take(channels: readonly string[]): readonly UnassignedChannel[] {
		const taken: UnassignedChannel[] = [];
		for (const channel of channels) {
			const unassigned = this.#waiting.get(channel);
			if (unassigned === undefined) continue;
			this.#waiting.delete(channel);
			taken.push(unassigned);
		}
		return taken;
	}

	putBack(taken: readonly UnassignedChannel[]): void {
		for (const unassigned of taken) this.#waiting.set(unassigned.channel, unassigned);
	}

	/** Removes channels that are no longer needed. Their promises resolve. */
	cancel(channels: readonly string[]): void {
		for (const { subscribed } of this.take(channels)) subscribed.resolve();
	}

	/** Rejects the promises of all channels, including those added later. */
	close(reason: Error): void {
		this.#closed = reason;
		for (const { subscribed } of this.take(this.channels())) subscribed.reject(reason);
	}
}
