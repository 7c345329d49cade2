import { quiet, rejected } from '@orijs/websocket/internal';

/** A channel that is to be subscribed on some shard. */
export interface UnassignedChannel {
	readonly channel: string;
	/** Since when messages may be missed, in milliseconds since the epoch; undefined if it was never subscribed. */
	readonly since: number | undefined;
	/** Settles when it is subscribed, or never will be. */
	readonly subscribed: PromiseWithResolvers<void>;
}

/** Channels whose slot no primary serves at the moment, or that are moving from one primary to another. */
export class UnassignedChannels {
	readonly #waiting = new Map<string, UnassignedChannel>();
	#closed: Error | undefined;

	channels(): readonly string[] {
		return [...this.#waiting.keys()];
	}

	/** Keeps channels until a shard serves them. Resolves when they are subscribed. The promise may be ignored. */
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

	/** Removes channels, to subscribe them on a shard. */
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
