import { createHash } from 'node:crypto';
import { Command, type Redis } from 'ioredis';

/** A Lua script that the server caches and runs by its digest. */
export class RedisScript {
	readonly #source: string;
	readonly #digest: string;

	constructor(source: string) {
		this.#source = source;
		this.#digest = createHash('sha1').update(source).digest('hex');
	}

	/** Resolves with the reply, its strings as buffers. Sends the script again only if the server did not run it. */
	async run(client: Redis, keys: readonly string[], args: readonly (string | number | Buffer)[]): Promise<unknown> {
		try {
			return await send(client, 'evalsha', [this.#digest, keys.length, ...keys, ...args]);
		} catch (error) {
			// The server has lost its scripts, and has run nothing.
			if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
			return await send(client, 'eval', [this.#source, keys.length, ...keys, ...args]);
		}
	}

	/** Loads the script. Rejects also when the server could not run it by its source, once it has lost it. */
	async load(client: Redis): Promise<void> {
		await Promise.all([send(client, 'script', ['LOAD', this.#source]), send(client, 'eval', ['return 1', 0])]);
	}
}

/** Not through the client's methods, which may batch commands (`enableAutoPipelining`, an option of the user's). */
function send(client: Redis, name: string, args: (string | number | Buffer)[]): Promise<unknown> {
	const command = new Command(name, args, { replyEncoding: null });
	return client.sendCommand(command) as Promise<unknown>;
}
