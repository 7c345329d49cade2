import { randomEpoch } from '@orijs/websocket';
import { encodePresenceHeader } from '@orijs/websocket/internal';
import { PresenceUnsupportedError } from '../errors.ts';
import { endpointOf, isRefusal, mustBeReady } from '../server/client-options.ts';
import { isPassing } from '../server/passing-refusal.ts';
import type { RedisScript } from '../server/redis-script.ts';
import { accessScripts, KEY_COMMANDS } from './access-script.ts';
import { applyScripts } from './apply-script.ts';
import { probeOf } from './keys.ts';
import { encodeNode } from './lease-bytes.ts';
import { leaseScripts } from './lease-scripts.ts';
import type { PresenceServers } from './presence-servers.ts';
import { readScript } from './read-script.ts';
import { sweepScripts } from './sweep-script.ts';
import type { Publish } from './topic-common.ts';

/** Tries whether servers can keep presence. */
export class PresenceProbe {
	readonly #keyPrefix: string;
	readonly #publish: Publish;
	readonly #servers: PresenceServers;

	constructor(keyPrefix: string, publish: Publish, servers: PresenceServers) {
		this.#keyPrefix = keyPrefix;
		this.#publish = publish;
		this.#servers = servers;
	}

	/**
	 * Tries the server of a shard. Passing failures are ignored.
	 *
	 * @throws {PresenceUnsupportedError}
	 */
	async run(heartbeatChannel: string): Promise<void> {
		const client = this.#servers.clientOf(heartbeatChannel);
		mustBeReady(client);
		const { keys, channel } = probeOf(this.#keyPrefix, this.#servers.channelPrefix(), heartbeatChannel);
		const redisChannel = this.#servers.channelPrefix() + channel;
		const { put, remove } = applyScripts[this.#publish];
		const scripts = [put, remove, readScript, sweepScripts[this.#publish], ...Object.values(leaseScripts)];
		try {
			const missing = await accessScripts[this.#publish].run(client, [], [keys[0], redisChannel]);
			const names = (missing as readonly Buffer[]).map(String);
			if (names.length > 0) throw this.#missing(endpointOf(client), names);
			await Promise.all(scripts.map((script) => script.load(client)));
			const header = encodePresenceHeader({ origin: 0, shard: 0, incarnation: 0 });
			const apply = (script: RedisScript, kind: string): Promise<unknown> => {
				const node = encodeNode(crypto.randomUUID());
				const epoch = randomEpoch().slice(0, 8);
				const op = [kind, 'probe', 1, 0, '', 0];
				return script.run(client, keys, [
					redisChannel,
					header,
					epoch,
					'',
					node,
					1,
					0,
					Number.MAX_SAFE_INTEGER,
					0,
					...op,
				]);
			};
			try {
				await apply(put, 'put');
				await apply(remove, 'remove');
				await readScript.run(client, keys, ['', 1]);
			} finally {
				await client.del(...keys);
			}
		} catch (error) {
			if (!isRefusal(error)) throw error;
			if (!isPassing(error)) throw new PresenceUnsupportedError(endpointOf(client), error.message, { cause: error });
		}
	}

	#missing(endpoint: string, names: readonly string[]): PresenceUnsupportedError {
		const others = names.filter((name) => name === 'time' || name === this.#publish);
		const areKeys = names.length - others.length === KEY_COMMANDS;
		const channels = `${this.#publish} on channels that begin with "${this.#servers.channelPrefix()}*"`;
		const listed = (areKeys ? others : names).map((name) => (name === this.#publish ? channels : name));
		if (areKeys) listed.unshift(`commands on keys that begin with "{${this.#keyPrefix}:" (brace included)`);
		return new PresenceUnsupportedError(endpoint, `it lacks, or its user has no permission for: ${listed.join(', ')}`);
	}
}
