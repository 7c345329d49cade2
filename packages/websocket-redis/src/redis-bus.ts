import type { Bus, BusHandlers, BusLiveness, HistoryStore } from '@orijs/websocket';
import type { Redis } from 'ioredis';
import { RedisConnectionLostError } from './errors.ts';
import { plainPubSub } from './server/pub-sub-commands.ts';
import { createClient, type SingleConnection } from './server/client-options.ts';
import { RedisHistory } from './history/redis-history.ts';
import { RedisServer } from './server/redis-server.ts';

export interface RedisBusOptions {
	readonly connection: SingleConnection;
	/** Channels are `{keyPrefix}:{topic}`. */
	readonly keyPrefix: string;
	/** In milliseconds. */
	readonly connectTimeout: number;
}

/** The channel of the one lane there is. */
const LANES: readonly string[] = ['!'];

/** Carries frames over the publish/subscribe of one Redis server, or of the master that Sentinels name. */
export class RedisBus implements Bus {
	readonly #options: RedisBusOptions;
	#lane: RedisServer | undefined;

	readonly history: HistoryStore;

	readonly liveness: BusLiveness = {
		heartbeatChannels: () => LANES,
		shardOf: () => 0,
		reconnect: (_lane, direction) => this.#lane?.drop(direction),
		verifyPrimary: async () => (await this.#lane?.verifyPrimary()) ?? false,
	};

	constructor(options: RedisBusOptions) {
		this.#options = options;
		this.history = new RedisHistory(
			{ keyPrefix: options.keyPrefix, publish: plainPubSub.publish },
			{ shardOf: () => this.#running(), trialTopics: () => ['!history'], failed() {} },
		);
		// Bad options are to be heard of where they were written, not at start.
		this.#createClient().disconnect();
	}

	async start(handlers: BusHandlers): Promise<void> {
		const { keyPrefix, connectTimeout } = this.#options;
		const options = { createClient: () => this.#createClient(), commands: plainPubSub, keyPrefix, connectTimeout };
		const lane = new RedisServer(options, handlers);
		this.#lane = lane;
		try {
			await lane.open();
		} catch (error) {
			if (this.#lane === lane) this.#lane = undefined;
			throw error;
		}
		if (lane.degraded === undefined) handlers.status({ state: 'ready' });
	}

	async stop(): Promise<void> {
		this.#lane?.close();
		this.#lane = undefined;
	}

	async subscribe(topics: readonly string[]): Promise<void> {
		await this.#running().subscribe(topics);
	}

	async unsubscribe(topics: readonly string[]): Promise<void> {
		await this.#lane?.unsubscribe(topics);
	}

	publish(topic: string, frame: Uint8Array): Promise<number> {
		return this.#lane === undefined ? Promise.reject(stopped()) : this.#lane.publish(topic, frame);
	}

	#running(): RedisServer {
		if (this.#lane === undefined) throw stopped();
		return this.#lane;
	}

	#createClient(): Redis {
		return createClient(this.#options.connection, this.#options.connectTimeout);
	}
}

function stopped(): Error {
	return new RedisConnectionLostError('no server, as the bus is stopped');
}
