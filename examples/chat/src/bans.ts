import { Redis } from 'ioredis';
import { Ban } from './admin-messages.ts';

/** The users who may not come in. All nodes need the same list. */
export interface Bans {
	add(ban: Ban): Promise<void>;
	lift(userId: string): Promise<void>;
	/** Rejects if the list can't be read: then it is unknown who may come in. */
	of(userId: string): Promise<Ban | undefined>;
	all(): Promise<Ban[]>;
}

/** Bans of a single node, until it exits. */
export class BansInMemory implements Bans {
	readonly #bans = new Map<string, Ban>();

	async add(ban: Ban): Promise<void> {
		this.#bans.set(ban.userId, ban);
	}

	async lift(userId: string): Promise<void> {
		this.#bans.delete(userId);
	}

	async of(userId: string): Promise<Ban | undefined> {
		return this.#bans.get(userId);
	}

	async all(): Promise<Ban[]> {
		return [...this.#bans.values()];
	}
}

const KEY = 'chat-bans';
/** How long to wait before each attempt to reconnect, in milliseconds. */
const RETRY_MS = 500;

/** Bans in a hash at Redis, by user. */
export class BansInRedis implements Bans {
	readonly #redis: Redis;

	/** While Redis is away, calls soon reject. */
	constructor(url: string) {
		const redis = new Redis(url, { maxRetriesPerRequest: 1, retryStrategy: () => RETRY_MS, commandTimeout: 2_000 });
		// Calls reject with the same errors.
		this.#redis = redis.on('error', () => {});
	}

	close(): void {
		this.#redis.disconnect();
	}

	async add(ban: Ban): Promise<void> {
		await this.#redis.hset(KEY, ban.userId, JSON.stringify(ban));
	}

	async lift(userId: string): Promise<void> {
		await this.#redis.hdel(KEY, userId);
	}

	async of(userId: string): Promise<Ban | undefined> {
		const ban = await this.#redis.hget(KEY, userId);
		return ban === null ? undefined : Ban.parse(JSON.parse(ban));
	}

	async all(): Promise<Ban[]> {
		return (await this.#redis.hvals(KEY)).map((ban) => Ban.parse(JSON.parse(ban)));
	}
}
