import { createHash } from 'node:crypto';
import { Command, type Redis } from 'ioredis';

/** A Lua script that the server keeps and runs by its digest. */
export class RedisScript {
	readonly #source: string;
	readonly #digest: string;

	constructor(source: string) {
		this.#source = source;
		this.#digest = createHash('sha1').update(source).digest('hex');
	}

	/** Resolves with the reply, its strings as buffers. One write is one command: only a server that has not run it gets it again. */
	async run(client: Redis, keys: readonly string[], args: readonly (string | number | Buffer)[]): Promise<unknown> {
		try {
			return await send(client, 'evalsha', [this.#digest, keys.length, ...keys, ...args]);
		} catch (error) {
			// It lost its scripts, and has done nothing.
			if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
			return await send(client, 'eval', [this.#source, keys.length, ...keys, ...args]);
		}
	}

	/** Lets the server keep it. Rejects also where it could not be run once it is forgotten. */
	async load(client: Redis): Promise<void> {
		await Promise.all([send(client, 'script', ['LOAD', this.#source]), send(client, 'eval', ['return 1', 0])]);
	}
}

/** Not by the client's own methods, which its user's options could have wait for others (`enableAutoPipelining`). */
function send(client: Redis, name: string, args: (string | number | Buffer)[]): Promise<unknown> {
	const command = new Command(name, args, { replyEncoding: null });
	return client.sendCommand(command) as Promise<unknown>;
}
