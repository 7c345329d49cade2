import type { BusHandlers } from '@orijs/websocket';
import type { Shard, Shards } from './shards.ts';
import { isTransient } from './transient-error.ts';
import { UnassignedChannels } from './unassigned-channels.ts';

/** Channels follow their slots from shard to shard. A channel whose slot no shard serves waits until one does. */
export class SlotMoves {
	readonly #shards: Shards;
	readonly #handlers: Pick<BusHandlers, 'interrupted' | 'refused'>;
	readonly #unassigned = new UnassignedChannels();
	readonly #ending: AbortSignal;

	/** @param ending reports nothing once it is aborted */
	constructor(shards: Shards, handlers: Pick<BusHandlers, 'interrupted' | 'refused'>, ending: AbortSignal) {
		this.#shards = shards;
		this.#handlers = handlers;
		this.#ending = ending;
	}

	/** Resolves when the channels are subscribed, on this shard or, after a move, on the one that serves them then. */
	async subscribe(shard: Shard | undefined, channels: readonly string[]): Promise<void> {
		if (shard === undefined) return this.#unassigned.wait(channels, undefined);
		try {
			await shard.server.subscribe(channels);
		} catch (error) {
			if (!isTransient(error)) throw error;
			return this.#unassigned.wait(channels, undefined);
		}
	}

	/** The channels no longer need a shard. */
	cancel(channels: readonly string[]): void {
		this.#unassigned.cancel(channels);
	}

	/** A shard refused to resubscribe a channel. If the channel's slot may be moving, the channel waits for a shard. */
	refused(channel: string, since: number, confirmedAt: number, error: Error): void {
		if (isTransient(error)) void this.#unassigned.wait([channel], confirmedAt);
		else this.#handlers.refused(channel, since, error);
	}

	/**
	 * Subscribes channels on the shards that serve them now. Messages for those that moved may be missed since the
	 * topology was last confirmed.
	 */
	follow(confirmedAt: number): void {
		const moved = new Map<string, number>();
		for (const { server, channels } of this.#shards.misplaced()) {
			const since = Math.min(confirmedAt, server.lostAt ?? confirmedAt);
			for (const channel of channels) moved.set(channel, since);
			server.unsubscribe(channels).catch(() => {});
		}
		for (const [channel, since] of moved) void this.#unassigned.wait([channel], since);
		this.#assign();
	}

	/** Subscribes the unassigned channels whose slot a shard serves. */
	#assign(): void {
		for (const [shard, channels] of this.#shards.group(this.#unassigned.channels())) {
			if (shard === undefined) continue;
			const waiting = this.#unassigned.take(channels);
			shard.server.subscribe(channels).then(
				() => {
					if (this.#ending.aborted) return;
					const moved = waiting.filter(({ since }) => since !== undefined);
					if (moved.length > 0) {
						const since = Math.min(...moved.map((each) => each.since ?? 0));
						const movedChannels = moved.map(({ channel }) => channel);
						this.#handlers.interrupted(movedChannels, since, 'slots moved to another primary');
					}
					for (const { subscribed } of waiting) subscribed.resolve();
				},
				(error: Error) => {
					if (!this.#ending.aborted && isTransient(error)) {
						this.#unassigned.putBack(waiting);
						return;
					}
					for (const { channel, since, subscribed } of waiting) {
						subscribed.reject(error);
						if (since !== undefined && !this.#ending.aborted) this.#handlers.refused(channel, since, error);
					}
				},
			);
		}
	}

	close(reason: Error): void {
		this.#unassigned.close(reason);
	}
}
