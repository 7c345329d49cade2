import { createHash } from 'node:crypto';
import { Command, type Redis } from 'ioredis';

/** Runs a Lua script on a server. The server caches the script under its digest. */
export class RedisScript {
	readonly #source: string;
	readonly #digest: string;

	constructor(source: string) {
		this.#source = source;
		this.#digest = createHash('sha1').update(source).digest('hex');
	}

	/**
	 * Runs the script from the server's cache or, if it is not cached there, sends its source. Resolves with the reply,
	 * in which strings are buffers.
	 */
	async run(client: Redis, keys: readonly string[], args: readonly (string | number | Buffer)[]): Promise<unknown> {
		try {
			return await send(client, 'evalsha', [this.#digest, keys.length, ...keys, ...args]);
		} catch (error) {
			// The server has lost its cache, and has not run anything.
			if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
			return await send(client, 'eval', [this.#source, keys.length, ...keys, ...args]);
		}
	}

	/**
	 * Loads the script into the server's cache. Also rejects if the user may not run EVAL, which `run` needs when the
	 * server has lost its cache.
	 */
	async load(client: Redis): Promise<void> {
		await Promise.all([send(client, 'script', ['LOAD', this.#source]), send(client, 'eval', ['return 1', 0])]);
	}
}

/** Sends a command, bypassing the client's methods, which batch commands if the user has set `enableAutoPipelining`. */
function send(client: Redis, name: string, args: (string | number | Buffer)[]): Promise<unknown> {
	const command = new Command(name, args, { replyEncoding: null });
	return client.sendCommand(command) as Promise<unknown>;
}
