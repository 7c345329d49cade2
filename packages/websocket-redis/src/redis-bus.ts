import type { Bus, BusHandlers, BusLiveness, HistoryStore } from '@orijs/websocket';
import type { Redis } from 'ioredis';
import { RedisConnectionLostError } from './errors.ts';
import { plainPubSub } from './pub-sub-commands.ts';
import { createClient, type SingleConnection } from './redis-client.ts';
import { RedisHistory } from './redis-history.ts';
import { RedisLane } from './redis-lane.ts';

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
	#lane: RedisLane | undefined;

	readonly history: HistoryStore;

	readonly liveness: BusLiveness = {
		lanes: () => LANES,
		laneOf: () => 0,
		reconnect: (_lane, direction) => this.#lane?.drop(direction),
		isWhereItBelongs: async () => (await this.#lane?.isWhereItBelongs()) ?? false,
	};

	constructor(options: RedisBusOptions) {
		this.#options = options;
		this.history = new RedisHistory(
			{ keyPrefix: options.keyPrefix, publish: plainPubSub.publish },
			{ laneOf: () => this.#running(), trialTopics: () => ['!history'], failed() {} },
		);
		// Bad options are to be heard of where they were written, not at start.
		this.#createClient().disconnect();
	}

	async start(handlers: BusHandlers): Promise<void> {
		const { keyPrefix, connectTimeout } = this.#options;
		const options = { createClient: () => this.#createClient(), commands: plainPubSub, keyPrefix, connectTimeout };
		const lane = new RedisLane(options, handlers);
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

	#running(): RedisLane {
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
