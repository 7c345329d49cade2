import { slotOf } from './slot.ts';
import type { RedisServer } from '../server/redis-server.ts';

export interface Shard {
	readonly server: RedisServer;
	/** The shard's number in frames and in the name of its heartbeat channel. */
	number: number;
	/** Until when the shard's view of the topology was the one that was last read, by the monotonic clock. */
	confirmedAt: number;
}

/** Holds the shards of a cluster and their heartbeat channels, and finds the shard that serves a channel. */
export class Shards {
	readonly #channelPrefix: string;
	/** By the primary's address. */
	readonly #shards = new Map<string, Shard>();
	#owners: readonly (string | undefined)[] = [];
	#heartbeatChannels: readonly string[] = [];

	constructor(channelPrefix: string) {
		this.#channelPrefix = channelPrefix;
	}

	get heartbeatChannels(): readonly string[] {
		return this.#heartbeatChannels;
	}

	get servers(): readonly RedisServer[] {
		return Array.from(this.#shards.values(), ({ server }) => server);
	}

	/** Whether any slot has no primary. */
	get areIncomplete(): boolean {
		return this.#owners.includes(undefined);
	}

	/** Until when every shard's view of the topology was the one that was last read. */
	get confirmedAt(): number {
		let least = Infinity;
		for (const { confirmedAt } of this.#shards.values()) least = Math.min(least, confirmedAt);
		return least;
	}

	/** Records that the view of a primary's shard was the one that was last read at this time. */
	confirm(primary: string, at: number): void {
		const shard = this.#shards.get(primary);
		if (shard !== undefined) shard.confirmedAt = Math.max(shard.confirmedAt, at);
	}

	/** Called when another topology has been read. */
	unconfirm(): void {
		for (const shard of this.#shards.values()) shard.confirmedAt = -Infinity;
	}

	has(primary: string): boolean {
		return this.#shards.has(primary);
	}

	add(primary: string, server: RedisServer): void {
		this.#shards.set(primary, { server, number: 0, confirmedAt: -Infinity });
	}

	/** @param owners the address of each slot's primary */
	assign(owners: readonly (string | undefined)[]): void {
		this.#owners = owners;
	}

	/** Returns the shard that serves a channel; undefined if no primary serves it at the moment. */
	shardOf(channel: string): Shard | undefined {
		const owner = this.#ownerOf(channel);
		return owner === undefined ? undefined : this.#shards.get(owner);
	}

	/** Groups channels by the shard that serves them. */
	group(channels: readonly string[]): Map<Shard | undefined, string[]> {
		const groups = new Map<Shard | undefined, string[]>();
		for (const channel of channels) {
			const shard = this.shardOf(channel);
			const group = groups.get(shard);
			if (group === undefined) groups.set(shard, [channel]);
			else group.push(channel);
		}
		return groups;
	}

	/** Yields each server that is still subscribed to channels that it no longer serves, with these channels. */
	*misplaced(): Iterable<{ readonly server: RedisServer; readonly channels: readonly string[] }> {
		for (const [primary, { server }] of this.#shards) {
			const channels = [...server.channels].filter((channel) => this.#ownerOf(channel) !== primary);
			if (channels.length > 0) yield { server, channels };
		}
	}

	/** Closes and removes the servers that are not among these primaries. */
	keep(primaries: ReadonlyMap<string, unknown>): void {
		for (const [primary, { server }] of this.#shards) {
			if (primaries.has(primary)) continue;
			server.close();
			this.#shards.delete(primary);
		}
	}

	/**
	 * Names each shard's heartbeat channel: `!` and the lowest number for which the shard serves the resulting channel.
	 * All nodes with the same topology choose the same name. The name stays the same when a replica takes over, so that
	 * frames that the old primary delivers late can be recognized.
	 */
	nameHeartbeats(): void {
		const channels = new Map<Shard, string>();
		const serving = new Set(this.#owners.filter((owner) => owner !== undefined && this.#shards.has(owner))).size;
		for (let number = 0; channels.size < serving; number++) {
			const channel = `!${number}`;
			const shard = this.shardOf(channel);
			if (shard === undefined || channels.has(shard)) continue;
			shard.number = number;
			channels.set(shard, channel);
		}
		this.#heartbeatChannels = [...channels.values()];
	}

	close(): void {
		for (const server of this.servers) server.close();
	}

	#ownerOf(channel: string): string | undefined {
		return this.#owners[slotOf(this.#channelPrefix + channel)];
	}
}
