import type { BeatStore, Bus, BusHandlers, BusLiveness, HistoryStore } from '@orijs/websocket';
import { RedisBeats } from '../beats/redis-beats.ts';
import { busStopped, InvalidRedisOptionError } from '../errors.ts';
import { RedisHistory } from '../history/redis-history.ts';
import { RedisPresence } from '../presence/redis-presence.ts';
import { ClusterClient } from './cluster-client.ts';
import { channelPrefix } from '../wire/redis-channel.ts';
import { addressOf } from './cluster-node.ts';
import { askCommon, type ClusterOptions } from './cluster-options.ts';

/**
 * Carries frames over the sharded publish/subscribe of a Redis Cluster, so that each message puts load only on the
 * shard of its channel.
 */
export class ClusterBus implements Bus {
	readonly #options: ClusterOptions;
	#cluster: ClusterClient | undefined;

	readonly history: HistoryStore;

	readonly presence: RedisPresence;

	readonly #beats = new RedisBeats({
		beatsOf: (heartbeatChannel) => this.#running().serverOf(heartbeatChannel).beats,
		firstChannel: () => this.#cluster?.heartbeatChannels[0],
		channelPrefix: () => channelPrefix(this.#options.keyPrefix, 0),
		failed: (error) => this.#cluster?.pollAfter(error),
	});

	readonly liveness: BusLiveness = livenessOf(() => this.#cluster, this.#beats);

	constructor(options: ClusterOptions) {
		this.#options = options;
		if (!Array.isArray(options.nodes) || options.nodes.length === 0) {
			throw new InvalidRedisOptionError('connection.cluster must list at least one node as { host, port }');
		}
		for (const node of options.nodes) addressOf(node);
		if (typeof options.options !== 'function') void askCommon(options);
		const prefix = channelPrefix(options.keyPrefix, 0);
		this.history = new RedisHistory(
			{ keyPrefix: options.keyPrefix, publish: 'spublish' },
			{
				clientOf: (topic) => this.#running().serverOf(topic).client,
				channelOf: (topic) => prefix + topic,
				// The slot of each of these topics is served by a different primary.
				probeTopics: () => this.#cluster?.heartbeatChannels.map((channel) => `${channel}history`) ?? [],
				failed: (error) => this.#cluster?.pollAfter(error),
			},
		);
		this.presence = new RedisPresence(
			{ keyPrefix: options.keyPrefix, publish: 'spublish' },
			{
				clientOf: (channel) => this.#running().serverOf(channel).client,
				channelPrefix: () => prefix,
				heartbeatChannels: () => this.#cluster?.heartbeatChannels ?? [],
				failed: (error) => this.#cluster?.pollAfter(error),
			},
		);
	}

	get namespace(): string {
		return channelPrefix(this.#options.keyPrefix, 0);
	}

	async start(handlers: BusHandlers): Promise<void> {
		const cluster = new ClusterClient(this.#options, handlers, (client) => this.presence.lostOn(client));
		this.#cluster = cluster;
		try {
			await cluster.open();
		} catch (error) {
			if (this.#cluster === cluster) this.#cluster = undefined;
			cluster.close();
			throw error;
		}
	}

	async stop(): Promise<void> {
		const cluster = this.#cluster;
		this.#cluster = undefined;
		cluster?.close();
	}

	async subscribe(channels: readonly string[]): Promise<void> {
		await this.#running().subscribe(channels);
	}

	async unsubscribe(channels: readonly string[]): Promise<void> {
		await this.#cluster?.unsubscribe(channels);
	}

	publish(channel: string, frame: Uint8Array): Promise<number> {
		if (this.#cluster === undefined) return Promise.reject(busStopped());
		return this.#cluster.publish(channel, frame);
	}

	#running(): ClusterClient {
		if (this.#cluster === undefined) throw busStopped();
		return this.#cluster;
	}
}

function livenessOf(cluster: () => ClusterClient | undefined, beats: BeatStore): BusLiveness {
	return {
		heartbeatChannels: () => cluster()?.heartbeatChannels ?? [],
		shardOf: (channel) => cluster()?.shardNumberOf(channel) ?? 0,
		isInterrupted: (heartbeatChannel) => cluster()?.isInterrupted(heartbeatChannel) ?? false,
		reconnect: (heartbeatChannel, direction) => cluster()?.reconnect(heartbeatChannel, direction),
		verifyPrimary: async () => cluster()?.verifyPrimary(),
		connection: (heartbeatChannel) => cluster()?.connectionOf(heartbeatChannel),
		get beats() {
			return cluster()?.areBeatsCollected === false ? undefined : beats;
		},
	};
}
