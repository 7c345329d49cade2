import {
	type HistoryBounds,
	type HistoryContent,
	type HistoryQuery,
	type HistorySlice,
	type HistoryStore,
	randomEpoch,
	rememberedMs,
} from '@orijs/websocket';
import { HistoryUnreadableError, HistoryUnsupportedError, RedisConnectionLostError } from '../errors.ts';
import { decodeHistory, encodeContent } from '../wire/history-frame.ts';
import { appendScripts, readScript } from './history-scripts.ts';
import { isRefusal } from '../server/client-options.ts';
import type { RedisServer } from '../server/redis-server.ts';
import type { RedisScript } from './redis-script.ts';

/** The servers that a history is kept on. */
export interface HistoryServers {
	/** The one that has this topic. @throws if there is none at the moment */
	shardOf(topic: string): RedisServer;
	/** A topic for each server that is there, which no user can have. */
	trialTopics(): readonly string[];
	/** A command for a topic failed. */
	failed(error: unknown): void;
}

export interface RedisHistoryOptions {
	/** Channels are `{keyPrefix}:{topic}`. */
	readonly keyPrefix: string;
	readonly publish: 'publish' | 'spublish';
}

/** What Redis says when it could do it, but not now. */
const PASSING = /^(OOM|NOREPLICAS|MISCONF|READONLY|BUSY|LOADING|MASTERDOWN|MOVED|ASK|TRYAGAIN|CLUSTERDOWN)\b/;
const TRIAL: HistoryBounds = { size: 1, bytes: 1_024, ttlMs: 1_000 };

/** Keeps history on the servers that messages take their way over; a topic's on the one that has its channel. */
export class RedisHistory implements HistoryStore {
	readonly #keyPrefix: string;
	readonly #append: RedisScript;
	readonly #servers: HistoryServers;

	constructor({ keyPrefix, publish }: RedisHistoryOptions, servers: HistoryServers) {
		this.#keyPrefix = keyPrefix;
		this.#append = appendScripts[publish];
		this.#servers = servers;
	}

	/** What a server can't do just now is not held against it. @throws {HistoryUnsupportedError} */
	async prepare(): Promise<void> {
		await Promise.all(this.#servers.trialTopics().map((topic) => this.#try(topic)));
	}

	async #try(topic: string): Promise<void> {
		const lane = this.#servers.shardOf(topic);
		const { endpoint, client } = lane;
		mustBeReady(lane);
		try {
			// A key that is known already would keep from it what is tried.
			const key = crypto.randomUUID();
			await Promise.all([this.#append.load(client), readScript.load(client)]);
			try {
				await this.append(topic, ['try'], TRIAL, key);
				await this.read(topic, { limit: 1 }, TRIAL);
			} finally {
				await client.del(...this.#keys(topic, key));
			}
		} catch (error) {
			if (!isRefusal(error)) throw error;
			if (!PASSING.test(error.message)) throw new HistoryUnsupportedError(endpoint, { cause: error });
		}
	}

	async append(
		topic: string,
		messages: readonly HistoryContent[],
		bounds: HistoryBounds,
		idempotencyKey?: string,
	): Promise<void> {
		const { size, bytes, ttlMs } = bounds;
		const args = [
			this.#channel(topic),
			randomEpoch(),
			Math.floor(Math.random() * 2 ** 31),
			size,
			bytes,
			ttlMs,
			rememberedMs(bounds),
			...messages.map(encodeContent),
		];
		await this.#run(this.#append, topic, this.#keys(topic, idempotencyKey), args);
	}

	async read(topic: string, query: HistoryQuery, bounds: HistoryBounds): Promise<HistorySlice> {
		const { size, bytes, ttlMs } = bounds;
		const args = [randomEpoch(), size, bytes, ttlMs, rememberedMs(bounds), ...range(query)];
		const frame = await this.#run(readScript, topic, this.#keys(topic), args);
		const slice = frame instanceof Buffer ? decodeHistory(frame) : undefined;
		if (slice === undefined) throw new HistoryUnreadableError(topic);
		return slice;
	}

	async #run(
		script: RedisScript,
		topic: string,
		keys: readonly string[],
		args: readonly (string | number | Buffer)[],
	): Promise<unknown> {
		const lane = this.#servers.shardOf(topic);
		mustBeReady(lane);
		try {
			return await script.run(lane.client, keys, args);
		} catch (error) {
			this.#servers.failed(error);
			throw error;
		}
	}

	#channel(topic: string): string {
		return `${this.#keyPrefix}:${topic}`;
	}

	/** On a cluster what is in the braces decides about the slot: it is the one of the channel. */
	#keys(topic: string, idempotencyKey?: string): readonly string[] {
		const tag = `{${this.#channel(topic)}}`;
		const keys = [`${tag}:meta`, `${tag}:log`];
		if (idempotencyKey !== undefined) keys.push(`${tag}:key:${idempotencyKey}`);
		return keys;
	}
}

/** A command for it, where it begins and ends, and how much it reads. */
function range(query: HistoryQuery): readonly (string | number)[] {
	if ('after' in query) return ['XRANGE', `(${query.after}-0`, '+', query.limit];
	const { before, limit } = query;
	if (before === undefined) return ['XREVRANGE', '+', '-', limit];
	// Redis refuses to look before the very first id there can be.
	return before < 1 ? ['XREVRANGE', '+', '-', 0] : ['XREVRANGE', `(${before}-0`, '-', limit];
}

/** @throws {RedisConnectionLostError} */
function mustBeReady({ client, endpoint }: RedisServer): void {
	if (client.status !== 'ready' || !client.stream?.writable) throw new RedisConnectionLostError(endpoint);
}
