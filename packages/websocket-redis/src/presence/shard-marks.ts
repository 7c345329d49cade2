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

	constructor(keyPrefix: string, servers: PresenceServers) {
		this.#keyPrefix = keyPrefix;
		this.#servers = servers;
	}

	/** Returns the servers that have lost their data since the last call. Those that can't be asked are left out. */
	async check(): Promise<readonly Redis[]> {
		const checked = await Promise.all(this.#servers.heartbeatChannels().map((channel) => this.#checkShard(channel)));
		return checked.filter((server) => server !== undefined);
	}

	async #checkShard(channel: string): Promise<Redis | undefined> {
		try {
			const client = this.#servers.clientOf(channel);
			const reply = await leaseScripts.mark.run(client, [markerKey(this.#keyPrefix, channel)], [randomEpoch()]);
			const mark = String(reply);
			const before = this.#marks.get(channel);
			this.#marks.set(channel, mark);
			return before === undefined || before === mark ? undefined : client;
		} catch (error) {
			this.#servers.failed(error);
			return undefined;
		}
	}
}
