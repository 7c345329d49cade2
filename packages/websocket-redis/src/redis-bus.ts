import type { Bus, BusHandlers, BusLiveness, HistoryStore } from '@orijs/websocket';
import type { Redis } from 'ioredis';
import { busStopped } from './errors.ts';
import { RedisHistory } from './history/redis-history.ts';
import { createClient, type SingleConnection } from './server/client-options.ts';
import { plainPubSub } from './server/pub-sub-commands.ts';
import { RedisServer } from './server/redis-server.ts';

export interface RedisBusOptions {
	readonly connection: SingleConnection;
	/** The name of a channel on Redis is `{keyPrefix}:{channel}`. */
	readonly keyPrefix: string;
	/** How long `start` tries to connect, in milliseconds. */
	readonly connectTimeout: number;
}

const HEARTBEAT_CHANNELS: readonly string[] = ['!'];

/** Carries frames over the publish/subscribe of one Redis server, or of the primary that Sentinels name. */
export class RedisBus implements Bus {
	readonly #options: RedisBusOptions;
	#server: RedisServer | undefined;

	readonly history: HistoryStore;

	readonly liveness: BusLiveness = {
		heartbeatChannels: () => HEARTBEAT_CHANNELS,
		shardOf: () => 0,
		reconnect: (_heartbeatChannel, direction) => this.#server?.reconnect(direction),
		verifyPrimary: async () => this.#server?.verifyPrimary(),
	};

	constructor(options: RedisBusOptions) {
		this.#options = options;
		this.history = new RedisHistory(
			{ keyPrefix: options.keyPrefix, publish: plainPubSub.publish },
			{ clientOf: () => this.#running().client, probeTopics: () => ['!history'], failed() {} },
		);
		// Makes the constructor throw for invalid options, rather than `start`: the stack leads to where they were set.
		this.#createClient().disconnect();
	}

	async start(handlers: BusHandlers): Promise<void> {
		const { keyPrefix, connectTimeout } = this.#options;
		const options = { createClient: () => this.#createClient(), commands: plainPubSub, keyPrefix, connectTimeout };
		const server = new RedisServer(options, handlers);
		this.#server = server;
		try {
			await server.open();
		} catch (error) {
			if (this.#server === server) this.#server = undefined;
			throw error;
		}
		if (server.degraded === undefined) handlers.status({ state: 'ready' });
	}

	async stop(): Promise<void> {
		this.#server?.close();
		this.#server = undefined;
	}

	async subscribe(channels: readonly string[]): Promise<void> {
		await this.#running().subscribe(channels);
	}

	async unsubscribe(channels: readonly string[]): Promise<void> {
		await this.#server?.unsubscribe(channels);
	}

	publish(channel: string, frame: Uint8Array): Promise<number> {
		return this.#server === undefined ? Promise.reject(busStopped()) : this.#server.publish(channel, frame);
	}

	#running(): RedisServer {
		if (this.#server === undefined) throw busStopped();
		return this.#server;
	}

	#createClient(): Redis {
		return createClient(this.#options.connection, this.#options.connectTimeout);
	}
}
