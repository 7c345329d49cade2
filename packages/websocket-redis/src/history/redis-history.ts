import {
	APPENDED_WITHIN_MS,
	type HistoryBounds,
	type HistoryContent,
	type HistoryQuery,
	type HistorySlice,
	type HistoryStore,
	type Position,
	randomEpoch,
	rememberedMs,
} from '@orijs/websocket';
import type { Redis } from 'ioredis';
import { HistoryUnreadableError, HistoryUnsupportedError } from '../errors.ts';
import { endpointOf, isRefusal, mustBeReady } from '../server/client-options.ts';
import { decodeHistory, encodeContent } from '../wire/history-frame.ts';
import { BegunKeys } from './begun-keys.ts';
import { appendScripts, LATE, readScript } from './history-scripts.ts';
import { isPassing } from '../server/passing-refusal.ts';
import type { RedisScript } from '../server/redis-script.ts';
import { ServerClocks } from '../server/server-clocks.ts';

/** Finds the servers on which history is stored. */
export interface HistoryServers {
	/** Returns a client of the server on which a topic is stored. @throws if no server stores it at the moment */
	clientOf(topic: string): Redis;
	/** Returns the name of a topic's channel on Redis. @throws if the bus is stopped */
	channelOf(topic: string): string;
	/**
	 * Returns one topic for each server, which is stored on that server. No topic of an application can have such a
	 * name.
	 */
	probeTopics(): readonly string[];
	/** Called when a command for a topic has failed. */
	failed(error: unknown): void;
}

export interface RedisHistoryOptions {
	/**
	 * The keys of a topic begin with `{keyPrefix:topic}`. Unlike channels, keys belong to a database, so its number is
	 * not part of their names.
	 */
	readonly keyPrefix: string;
	readonly publish: 'publish' | 'spublish';
}

const PROBE_BOUNDS: HistoryBounds = { size: 1, bytes: 1_024, ttlMs: 1_000 };

/** Stores each topic's history on the server that carries the topic's messages. */
export class RedisHistory implements HistoryStore {
	readonly #keyPrefix: string;
	readonly #append: RedisScript;
	readonly #begunKeys: BegunKeys;
	readonly #servers: HistoryServers;
	readonly #clocks = new ServerClocks();
	/**
	 * Identifies this store as a publisher. The slot is the field of a topic's hash in which the publisher is
	 * remembered.
	 */
	readonly #publisher = randomEpoch();
	readonly #slot = `by${Math.floor(Math.random() * 1_024)}`;
	/** Grows each time an append fails. */
	#generation = 0;

	constructor({ keyPrefix, publish }: RedisHistoryOptions, servers: HistoryServers) {
		this.#keyPrefix = keyPrefix;
		this.#append = appendScripts[publish];
		this.#begunKeys = new BegunKeys(keyPrefix, publish === 'spublish');
		this.#servers = servers;
	}

	/**
	 * Tries an append and a read on every server, ignoring transient failures.
	 *
	 * @throws {HistoryUnsupportedError} a server can't store history
	 */
	async prepare(): Promise<void> {
		await Promise.all(this.#servers.probeTopics().map((topic) => this.#probe(topic)));
	}

	async #probe(topic: string): Promise<void> {
		const client = this.#servers.clientOf(topic);
		mustBeReady(client);
		try {
			// A random idempotency key: with one that was used before, the append would do nothing.
			const key = crypto.randomUUID();
			await Promise.all([this.#append.load(client), readScript.load(client)]);
			try {
				await this.append(topic, ['try'], PROBE_BOUNDS, key);
				await this.read(topic, { limit: 1 }, PROBE_BOUNDS);
			} finally {
				await client.del(...this.#keys(topic, PROBE_BOUNDS, key));
			}
		} catch (error) {
			if (!isRefusal(error)) throw error;
			if (!isPassing(error)) throw new HistoryUnsupportedError(endpointOf(client), { cause: error });
		}
	}

	async append(
		topic: string,
		messages: readonly HistoryContent[],
		bounds: HistoryBounds,
		idempotencyKey?: string,
	): Promise<Position | undefined> {
		const { size, bytes, ttlMs } = bounds;
		const keys = this.#keys(topic, bounds, idempotencyKey);
		const calledAt = performance.now();
		for (;;) {
			const client = this.#servers.clientOf(topic);
			const sentAt = performance.now();
			const args = [
				this.#servers.channelOf(topic),
				randomEpoch(),
				Math.floor(Math.random() * 2 ** 31),
				size,
				bytes,
				ttlMs,
				rememberedMs(bounds),
				Math.ceil(this.#clocks.timeOn(client, calledAt + APPENDED_WITHIN_MS) ?? Number.MAX_SAFE_INTEGER),
				this.#slot,
				this.#publisher,
				this.#generation,
				...messages.map(encodeContent),
			];
			try {
				const [serverMs, epoch, offset] = (await this.#run(this.#append, topic, keys, args)) as AppendReply;
				this.#clocks.learn(client, serverMs, sentAt);
				return epoch === undefined ? undefined : { epoch: epoch.toString('latin1'), offset };
			} catch (error) {
				const serverMs = lateAt(error);
				if (serverMs === undefined) {
					// The append may still take effect, but must not do so after a later one.
					this.#generation++;
					throw error;
				}
				// Either the append came too late, or the server's clock has been set. In the latter case, the append is
				// tried again.
				this.#clocks.learnAgain(client, serverMs, sentAt);
				if (performance.now() - calledAt > APPENDED_WITHIN_MS) throw error;
			}
		}
	}

	async read(topic: string, query: HistoryQuery, bounds: HistoryBounds): Promise<HistorySlice> {
		const { size, bytes, ttlMs } = bounds;
		const args = [randomEpoch(), size, bytes, ttlMs, rememberedMs(bounds), ...range(query), query.bytes ?? ''];
		const frame = await this.#run(readScript, topic, this.#keys(topic, bounds), args);
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
		const client = this.#servers.clientOf(topic);
		mustBeReady(client);
		try {
			return await script.run(client, keys, args);
		} catch (error) {
			this.#servers.failed(error);
			throw error;
		}
	}

	/**
	 * Returns the keys that the scripts take. On a cluster, the part in braces puts them into the slot of the topic's
	 * channel.
	 */
	#keys(topic: string, bounds: HistoryBounds, idempotencyKey?: string): readonly string[] {
		const tag = `{${this.#keyPrefix}:${topic}}`;
		const keys = [`${tag}:meta`, `${tag}:log`, this.#begunKeys.keyOf(topic, rememberedMs(bounds))];
		if (idempotencyKey !== undefined) keys.push(`${tag}:key:${idempotencyKey}`);
		return keys;
	}
}

/** What the script that appends returns. */
type AppendReply =
	| readonly [serverMs: number, epoch: Buffer, offset: number]
	| readonly [serverMs: number, epoch?: undefined, offset?: undefined];

/** Returns the stream command for a query, with the ends of its range and its limit. */
function range(query: HistoryQuery): readonly (string | number)[] {
	if ('after' in query) return ['XRANGE', `(${query.after}-0`, '+', query.limit];
	const { before, limit } = query;
	if (before === undefined) return ['XREVRANGE', '+', '-', limit];
	// Redis rejects a range that ends before the lowest possible id.
	return before < 1 ? ['XREVRANGE', '+', '-', 0] : ['XREVRANGE', `(${before}-0`, '-', limit];
}

/** Returns the server's time, in milliseconds since the epoch, if it has refused an append because it came too late. */
function lateAt(error: unknown): number | undefined {
	const message = error instanceof Error ? error.message : '';
	return message.startsWith(`${LATE} `) ? Number(message.slice(LATE.length + 1)) : undefined;
}
