import type { BeatStore, Bus, BusHandlers, BusLiveness, HistoryStore } from '@orijs/websocket';
import { RedisBeats } from './beats/redis-beats.ts';
import { busStopped } from './errors.ts';
import { RedisHistory } from './history/redis-history.ts';
import { RedisPresence } from './presence/redis-presence.ts';
import type { SingleConnection } from './server/client-options.ts';
import { type RedisConnectionFunction, optionsOf } from './server/connection-function.ts';
import { askWithin, type ConnectionSource } from './server/connection-source.ts';
import { plainPubSub } from './server/pub-sub-commands.ts';
import { RedisServer } from './server/redis-server.ts';
import { channelPrefix } from './wire/redis-channel.ts';

export interface RedisBusOptions {
	/** Read, or called, for each connection. */
	readonly connection: SingleConnection | RedisConnectionFunction;
	/** The prefix of the names of channels and keys on Redis. */
	readonly keyPrefix: string;
	/** How long `start` tries to connect, in milliseconds. */
	readonly connectTimeout: number;
}

const HEARTBEAT_CHANNEL = '!';
const HEARTBEAT_CHANNELS: readonly string[] = [HEARTBEAT_CHANNEL];

/** Carries frames over the publish/subscribe of one Redis server, or of the primary that Sentinels name. */
export class RedisBus implements Bus {
	readonly #options: RedisBusOptions;
	readonly #ask: ConnectionSource['ask'];
	#server: RedisServer | undefined;
	#channelPrefix = '';
	/** Aborted by `stop`. */
	#running = new AbortController();

	readonly history: HistoryStore;

	readonly presence: RedisPresence;

	readonly #beats = new RedisBeats({
		beatsOf: () => this.#started().beats,
		firstChannel: () => HEARTBEAT_CHANNEL,
		channelPrefix: () => this.#channelPrefix,
		failed() {},
	});

	readonly liveness: BusLiveness = livenessOf(() => this.#server, this.#beats);

	constructor(options: RedisBusOptions) {
		const { connection, keyPrefix, connectTimeout } = options;
		this.#options = options;
		this.#ask = () => optionsOf(connection, connectTimeout);
		this.history = new RedisHistory(
			{ keyPrefix, publish: plainPubSub.publish },
			{
				clientOf: () => this.#started().client,
				channelOf: (topic) => this.#channelPrefix + topic,
				probeTopics: () => ['!history'],
				failed() {},
			},
		);
		this.presence = new RedisPresence(
			{ keyPrefix, publish: plainPubSub.publish },
			{
				clientOf: () => this.#started().client,
				channelPrefix: () => this.#channelPrefix,
				heartbeatChannels: () => (this.#server === undefined ? [] : HEARTBEAT_CHANNELS),
				failed() {},
			},
		);
		// If the options are invalid, this makes the constructor throw, and not `start`. The stack trace then shows where
		// the options were set.
		if (typeof connection !== 'function') void this.#ask();
	}

	get namespace(): string {
		return this.#channelPrefix;
	}

	async start(handlers: BusHandlers): Promise<void> {
		const { keyPrefix, connectTimeout } = this.#options;
		const running = new AbortController();
		this.#running = running;
		const asked = this.#ask();
		const initial = asked instanceof Promise ? await askWithin(connectTimeout, () => asked, running.signal) : asked;
		this.#channelPrefix = channelPrefix(keyPrefix, initial.db ?? 0);
		const server = new RedisServer(
			{
				source: { initial, ask: this.#ask },
				commands: plainPubSub,
				keyPrefix,
				channelPrefix: this.#channelPrefix,
				connectTimeout,
			},
			{
				deliver: (channel, frame) => handlers.deliver(channel, frame),
				appended: (topic, slice) => handlers.appended(topic, slice),
				status: (status) => handlers.status(status),
				interrupted: (channels, since, reason) => handlers.interrupted(channels, since, reason),
				undelivered: (since) => {
					this.presence.lostOn();
					handlers.undelivered(since);
				},
				replaced: (lostAt) => {
					this.presence.lostOn();
					handlers.replaced(lostAt);
				},
				refused: (channel, since, error) => handlers.refused(channel, since, error),
				error: (error, stage) => handlers.error(error, stage),
			},
		);
		this.#server = server;
		try {
			await server.open();
			await server.beats.probe(HEARTBEAT_CHANNEL);
			running.signal.throwIfAborted();
		} catch (error) {
			if (this.#server === server) this.#server = undefined;
			throw error;
		}
		if (server.degraded === undefined) handlers.status({ state: 'ready' });
	}

	async stop(): Promise<void> {
		this.#running.abort(busStopped());
		this.#server?.close();
		this.#server = undefined;
	}

	async subscribe(channels: readonly string[]): Promise<void> {
		await this.#started().subscribe(channels);
	}

	async unsubscribe(channels: readonly string[]): Promise<void> {
		await this.#server?.unsubscribe(channels);
	}

	publish(channel: string, frame: Uint8Array): Promise<number> {
		return this.#server === undefined ? Promise.reject(busStopped()) : this.#server.publish(channel, frame);
	}

	#started(): RedisServer {
		if (this.#server === undefined) throw busStopped();
		return this.#server;
	}
}

function livenessOf(server: () => RedisServer | undefined, beats: BeatStore): BusLiveness {
	return {
		heartbeatChannels: () => HEARTBEAT_CHANNELS,
		shardOf: () => 0,
		isInterrupted: () => server()?.lostAt !== undefined,
		reconnect: (_heartbeatChannel, direction) => server()?.reconnect(direction),
		verifyPrimary: async () => server()?.verifyPrimary(),
		connection: () => server()?.connection,
		get beats() {
			return server()?.beats.areCollected === false ? undefined : beats;
		},
	};
}
