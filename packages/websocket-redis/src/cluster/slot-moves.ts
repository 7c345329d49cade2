import type { BusHandlers } from '@orijs/websocket';
import { wallTime } from '@orijs/websocket/internal';
import type { Shard, Shards } from './shards.ts';
import { isTransient } from './transient-error.ts';
import { UnassignedChannels } from './unassigned-channels.ts';

/**
 * Moves channels from shard to shard along with their slots. While no shard serves a channel's slot, the channel waits.
 */
export class SlotMoves {
	readonly #shards: Shards;
	readonly #handlers: Pick<BusHandlers, 'interrupted' | 'refused'>;
	readonly #unassigned = new UnassignedChannels();
	readonly #ending: AbortSignal;
	/** The channels that are being subscribed after they have moved. */
	readonly #arriving = new Set<string>();

	/** @param ending once it is aborted, nothing more is reported */
	constructor(shards: Shards, handlers: Pick<BusHandlers, 'interrupted' | 'refused'>, ending: AbortSignal) {
		this.#shards = shards;
		this.#handlers = handlers;
		this.#ending = ending;
	}

	/**
	 * Subscribes to channels on a shard. If their slots move in the meantime, subscribes on the shards that then serve
	 * them.
	 */
	async subscribe(shard: Shard | undefined, channels: readonly string[]): Promise<void> {
		if (shard === undefined) return this.#unassigned.wait(channels, undefined);
		try {
			await shard.server.subscribe(channels);
		} catch (error) {
			if (!isTransient(error)) throw error;
			return this.#unassigned.wait(channels, undefined);
		}
	}

	/** Whether a channel was lost in a move, which has not been reported as an interruption yet. */
	isMoving(channel: string): boolean {
		return this.#arriving.has(channel) || this.#unassigned.wasSubscribed(channel);
	}

	/** Whether any channel waits for a shard. */
	get areWaiting(): boolean {
		return this.#unassigned.channels().length > 0;
	}

	/** Called when channels are no longer needed. If they are waiting for a shard, they stop waiting. */
	cancel(channels: readonly string[]): void {
		this.#unassigned.cancel(channels);
	}

	/**
	 * Called when a shard has refused to resubscribe a channel. If the channel's slot may be moving, the channel waits
	 * for a shard.
	 */
	refused(channel: string, since: number, confirmedAt: number, error: Error): void {
		if (isTransient(error)) void this.#unassigned.wait([channel], confirmedAt);
		else this.#handlers.refused(channel, since, error);
	}

	/**
	 * Subscribes to channels on the shards that serve them now. Messages on channels that have moved may have been
	 * missed since `confirmedAt`, when the topology was last read.
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

	/** Subscribes to the unassigned channels whose slots are now served by a shard. */
	#assign(): void {
		for (const [shard, channels] of this.#shards.group(this.#unassigned.channels())) {
			if (shard === undefined) continue;
			const waiting = this.#unassigned.take(channels);
			const moved = waiting.filter(({ since }) => since !== undefined);
			for (const { channel } of moved) this.#arriving.add(channel);
			shard.server.subscribe(channels).then(
				() => {
					for (const { channel } of moved) this.#arriving.delete(channel);
					if (this.#ending.aborted) return;
					if (moved.length > 0) {
						const since = Math.min(...moved.map((each) => each.since ?? 0));
						const movedChannels = moved.map(({ channel }) => channel);
						this.#handlers.interrupted(movedChannels, wallTime(since), 'slots moved to another primary');
					}
					for (const { subscribed } of waiting) subscribed.resolve();
				},
				(error: Error) => {
					for (const { channel } of moved) this.#arriving.delete(channel);
					if (!this.#ending.aborted && isTransient(error)) {
						this.#unassigned.putBack(waiting);
						return;
					}
					for (const { channel, since, subscribed } of waiting) {
						subscribed.reject(error);
						if (since === undefined || this.#ending.aborted) continue;
						this.#handlers.refused(channel, wallTime(since), error);
					}
				},
			);
		}
	}

	close(reason: Error): void {
		this.#unassigned.close(reason);
	}
}
