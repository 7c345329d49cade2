import type { Redis } from 'ioredis';
import { mustBeReady } from '../server/client-options.ts';
import type { RedisScript } from '../server/redis-script.ts';
import type { PresenceServers } from './presence-servers.ts';

export type ScriptArgument = string | number | Buffer;

/** Runs scripts on the servers on which presence is kept. */
export class ScriptRunner {
	readonly #servers: PresenceServers;

	constructor(servers: PresenceServers) {
		this.#servers = servers;
	}

	/**
	 * Returns a client that can send a command to the server that carries a channel.
	 *
	 * @throws if no server does at the moment, or it is not connected
	 */
	clientOf(channel: string): Redis {
		const client = this.#servers.clientOf(channel);
		mustBeReady(client);
		return client;
	}

	async run(
		client: Redis,
		script: RedisScript,
		keys: readonly string[],
		args: readonly ScriptArgument[],
	): Promise<unknown> {
		try {
			return await script.run(client, keys, args);
		} catch (error) {
			this.#servers.failed(error);
			throw error;
		}
	}
}
