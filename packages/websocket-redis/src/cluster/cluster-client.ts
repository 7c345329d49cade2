import type { BusHandlers } from '@orijs/websocket';
import { within } from '@orijs/websocket/internal';
import type { Redis } from 'ioredis';
import { busStopped, ClusterDownError } from '../errors.ts';
import { shardedPubSub } from '../server/pub-sub-commands.ts';
import { RedisServer } from '../server/redis-server.ts';
import type { ConnectionSource } from '../server/connection-source.ts';
import { channelPrefix } from '../wire/redis-channel.ts';
import type { ClusterOptions } from './cluster-options.ts';
import { discover, type Discovery } from './discovery.ts';
import { Shards } from './shards.ts';
import { slotOf } from './slot.ts';
import { SlotMoves } from './slot-moves.ts';
import { type ClusterTopology, readTopology } from './topology.ts';
import { isTransient } from './transient-error.ts';

/**
 * The time between two polls of the cluster's topology, in milliseconds. A moved slot is noticed within this time or,
 * while polls are left out, within this time after the next beat.
 */
const POLL_MS = 500;
/** Polls are left out while all shards have confirmed the topology less than this long ago, in milliseconds. */
const CONFIRMED_MS = 1_500;

const commands = shardedPubSub(slotOf);

/** Keeps a connection to every primary of a cluster, from `open` to `close`, and follows changes of the topology. */
export class ClusterClient {
	readonly #options: ClusterOptions;
	readonly #handlers: BusHandlers;
	readonly #onReplaced: (client: Redis) => void;
	readonly #shards: Shards;
	readonly #moves: SlotMoves;
	readonly #channelPrefix: string;
	#sourceOf: Discovery['sourceOf'] | undefined;
	/** Until when the topology is known, by the monotonic clock. */
	#confirmedAt = performance.now();
	/** The name of the topology that was last read. */
	#topology = '';
	/** When the topology was last read, by the monotonic clock. */
	#readAt = -Infinity;
	/** Whether something has shown since then that the topology may have changed. */
	#isInDoubt = false;
	#degraded: string | undefined;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#isPolling = false;
	/** Aborted by `close`. */
	readonly #ending = new AbortController();

	/**
	 * @param onReplaced called if what was stored by means of a client may be missing on the server to which it leads
	 * now
	 */
	constructor(options: ClusterOptions, handlers: BusHandlers, onReplaced: (client: Redis) => void) {
		this.#options = options;
		this.#handlers = handlers;
		this.#onReplaced = onReplaced;
		this.#channelPrefix = channelPrefix(options.keyPrefix, 0);
		this.#shards = new Shards(this.#channelPrefix);
		this.#moves = new SlotMoves(this.#shards, handlers, this.#ending.signal);
	}

	get heartbeatChannels(): readonly string[] {
		return this.#shards.heartbeatChannels;
	}

	/** Whether every shard collects beats, as far as is known. */
	get areBeatsCollected(): boolean {
		return this.#shards.servers.every(({ beats }) => beats.areCollected);
	}

	/** Connects to every primary. */
	async open(): Promise<void> {
		const { topology, sourceOf } = await discover(this.#options, this.#ending.signal);
		this.#sourceOf = sourceOf;
		for (const [primary, address] of topology.primaries) this.#addShard(primary, sourceOf(address));
		await Promise.all(this.#shards.servers.map((server) => server.open()));
		this.#ending.signal.throwIfAborted();
		this.#adopt(topology, performance.now());
		await Promise.all(this.heartbeatChannels.map((channel) => this.serverOf(channel).beats.probe(channel)));
		this.#ending.signal.throwIfAborted();
		this.#schedulePoll();
		if (this.#degraded === undefined) this.#handlers.status({ state: 'ready' });
	}

	close(): void {
		clearTimeout(this.#timer);
		this.#ending.abort(busStopped());
		this.#shards.close();
		this.#moves.close(busStopped());
	}

	async subscribe(channels: readonly string[]): Promise<void> {
		const groups = this.#shards.group(channels);
		await Promise.all(Array.from(groups, ([shard, group]) => this.#moves.subscribe(shard, group)));
	}

	async unsubscribe(channels: readonly string[]): Promise<void> {
		this.#moves.cancel(channels);
		const groups = this.#shards.group(channels);
		await Promise.all(Array.from(groups, async ([shard, group]) => shard?.server.unsubscribe(group)));
	}

	publish(channel: string, frame: Uint8Array): Promise<number> {
		const shard = this.#shards.shardOf(channel);
		// A refused frame is not sent again to another shard, because frames could then arrive out of order.
		if (shard === undefined) return Promise.reject(new ClusterDownError());
		return shard.server.publish(channel, frame).catch((error: unknown) => {
			this.pollAfter(error);
			throw error;
		});
	}

	shardNumberOf(channel: string): number | undefined {
		return this.#shards.shardOf(channel)?.number;
	}

	/** Returns the server of the shard that serves a channel. @throws {ClusterDownError} no shard serves it */
	serverOf(channel: string): RedisServer {
		const shard = this.#shards.shardOf(channel);
		if (shard === undefined) throw new ClusterDownError();
		return shard.server;
	}

	/** See {@link BusLiveness.isInterrupted}. */
	isInterrupted(heartbeatChannel: string): boolean {
		if (this.#moves.isMoving(heartbeatChannel)) return true;
		return this.#shards.shardOf(heartbeatChannel)?.server.lostAt !== undefined;
	}

	/** See {@link BusLiveness.connection}. */
	connectionOf(heartbeatChannel: string): number | undefined {
		return this.#shards.shardOf(heartbeatChannel)?.server.connection;
	}

	reconnect(heartbeatChannel: string, direction: 'publish' | 'subscribe'): void {
		this.#shards.shardOf(heartbeatChannel)?.server.reconnect(direction);
	}

	async verifyPrimary(): Promise<void> {
		await Promise.all(this.#shards.servers.map((server) => server.verifyPrimary()));
	}

	/** Called when a command has failed. Polls immediately if the slot may have moved to another primary. */
	pollAfter(error: unknown): void {
		if (!isTransient(error)) return;
		this.#isInDoubt = true;
		this.#schedulePoll(0);
	}

	/** Called when a shard has told the name of its view of the topology, which it looked up after `at`. */
	#toldTopology(primary: string, name: string, at: number): void {
		if (name === this.#topology) {
			this.#shards.confirm(primary, at);
			this.#confirmedAt = Math.max(this.#confirmedAt, this.#shards.confirmedAt);
		} else if (at > this.#readAt) {
			this.#isInDoubt = true;
			// While shards disagree, the topology is read as often as by regular polls.
			this.#schedulePoll(Math.max(0, this.#readAt + POLL_MS - performance.now()));
		}
	}

	#addShard(primary: string, source: ConnectionSource): RedisServer {
		const { keyPrefix, connectTimeout } = this.#options;
		const handlers = this.#handlers;
		const server: RedisServer = new RedisServer(
			{
				source,
				commands,
				keyPrefix,
				channelPrefix: this.#channelPrefix,
				connectTimeout,
				onTopology: (name, at) => this.#toldTopology(primary, name, at),
			},
			{
				deliver: (channel, frame) => handlers.deliver(channel, frame),
				appended: (topic, slice) => handlers.appended(topic, slice),
				status: () => this.#updateStatus(),
				interrupted: (channels, since, reason) => handlers.interrupted(channels, since, reason),
				// No messages are affected: a cluster node refuses a publish to a slot that it does not serve.
				undelivered: () => this.#onReplaced(server.client),
				replaced: () => this.#onReplaced(server.client),
				refused: (channel, since, error) => this.#moves.refused(channel, since, this.#confirmedAt, error),
				error: (error, stage) => handlers.error(error, stage),
			},
		);
		this.#shards.add(primary, server);
		return server;
	}

	/** Polls after a delay, and regularly from then on. */
	#schedulePoll(delayMs: number = POLL_MS): void {
		if (this.#ending.signal.aborted || this.#isPolling) return;
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => {
			this.#isPolling = true;
			void this.#poll().finally(() => {
				this.#isPolling = false;
				this.#schedulePoll();
			});
		}, delayMs);
	}

	/** Whether beats show that the topology has not changed, and no channel waits for a shard. */
	get #isConfirmed(): boolean {
		if (this.#isInDoubt || this.#shards.areIncomplete || this.#moves.areWaiting) return false;
		return performance.now() - this.#shards.confirmedAt < CONFIRMED_MS;
	}

	/** Reads the topology, unless it is confirmed. Queries one primary after the other, until one replies. */
	async #poll(): Promise<void> {
		if (this.#isConfirmed) return;
		for (const { client } of this.#shards.servers) {
			if (client.status !== 'ready') continue;
			try {
				const readAt = performance.now();
				const topology = await within(
					POLL_MS,
					readTopology(client, this.#options.natMap),
					() => new Error('no reply in time'),
				);
				if (!this.#ending.signal.aborted) this.#adopt(topology, readAt);
				return;
			} catch {
				// The next primary may reply.
			}
		}
	}

	/** @param readAt when the topology was read, by the monotonic clock */
	#adopt({ owners, primaries, name }: ClusterTopology, readAt: number): void {
		if (name !== this.#topology) this.#shards.unconfirm();
		this.#topology = name;
		this.#readAt = readAt;
		this.#isInDoubt = false;
		this.#shards.assign(owners);
		for (const [primary, address] of primaries) {
			if (this.#shards.has(primary) || this.#sourceOf === undefined) continue;
			this.#addShard(primary, this.#sourceOf(address)).openLater();
		}
		this.#moves.follow(this.#confirmedAt);
		this.#shards.keep(primaries);
		this.#shards.nameHeartbeats();
		this.#confirmedAt = Math.max(this.#confirmedAt, readAt);
		this.#updateStatus();
	}

	/** Reports when the cluster as a whole becomes degraded or ready again. */
	#updateStatus(): void {
		if (this.#ending.signal.aborted) return;
		let reason = this.#shards.areIncomplete ? 'the Redis Cluster does not serve all slots' : undefined;
		for (const { degraded } of this.#shards.servers) reason ??= degraded;
		if ((reason === undefined) === (this.#degraded === undefined)) return;
		this.#degraded = reason;
		this.#handlers.status(reason === undefined ? { state: 'ready' } : { state: 'degraded', reason });
	}
}
