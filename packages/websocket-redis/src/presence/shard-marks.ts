import { randomEpoch } from '@orijs/websocket';
import type { Redis } from 'ioredis';
import { markerKey } from './keys.ts';
import { leaseScripts } from './lease-scripts.ts';
import type { PresenceServers } from './presence-servers.ts';

/**
 * Notices when the server of a shard has lost its data while its connections stayed, as with FLUSHALL: each shard has a
 * key with a random value, and another value means that the one before is gone.
 */
export class ShardMarks {
	readonly #keyPrefix: string;
	readonly #servers: PresenceServers;
	/** By heartbeat channel. */
	readonly #marks = new Map<string, string>();
	/** The heartbeat channels of the shards that have been asked, and have not answered yet. */
	readonly #asked = new Set<string>();

	constructor(keyPrefix: string, servers: PresenceServers) {
		this.#keyPrefix = keyPrefix;
		this.#servers = servers;
	}

	/** @param lost called later with the client of each server that has lost its data since the last check */
	check(lost: (client: Redis) => void): void {
		for (const channel of this.#servers.heartbeatChannels()) void this.#checkShard(channel, lost);
	}

	async #checkShard(channel: string, lost: (client: Redis) => void): Promise<void> {
		if (this.#asked.has(channel)) return;
		this.#asked.add(channel);
		try {
			const client = this.#servers.clientOf(channel);
			const reply = await leaseScripts.mark.run(client, [markerKey(this.#keyPrefix, channel)], [randomEpoch()]);
			const mark = String(reply);
			const before = this.#marks.get(channel);
			this.#marks.set(channel, mark);
			if (before !== undefined && before !== mark) lost(client);
		} catch (error) {
			this.#servers.failed(error);
		} finally {
			this.#asked.delete(channel);
		}
	}
}
