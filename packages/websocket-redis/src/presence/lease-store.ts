import { type PresenceLease, PresenceLeaseLostError, type Renewal } from '@orijs/websocket';
import type { RedisScript } from '../server/redis-script.ts';
import { NO_LEASE } from './apply-script.ts';
import { leaseKeys, LEASES_CHANNEL } from './keys.ts';
import { encodeLease, readLease } from './lease-bytes.ts';
import { leaseScripts } from './lease-scripts.ts';
import type { ListedTopic, TopicList } from './lease-sweeps.ts';
import type { TopicRegistry } from './registered-topics.ts';
import type { ScriptArgument, ScriptRunner } from './script-runner.ts';
import { entriesOf } from './stored-topic.ts';

/** The leases of all nodes, and the topics in which they may have records. All are on one server. */
export class LeaseStore implements TopicRegistry {
	readonly #keyPrefix: string;
	readonly #runner: ScriptRunner;

	constructor(keyPrefix: string, runner: ScriptRunner) {
		this.#keyPrefix = keyPrefix;
		this.#runner = runner;
	}

	/** See {@link PresenceStore.renew}. */
	async renew(lease: PresenceLease, leaseMs: number, isNew: boolean): Promise<Renewal> {
		const reply = await this.#run(leaseScripts.renew, lease, [leaseMs, isNew ? 1 : 0]);
		const [isKept, now, expired, released] = reply as readonly [number, number, readonly Buffer[], readonly Buffer[]];
		const readAll = (leases: readonly Buffer[]): PresenceLease[] => leases.map((bytes) => readLease(bytes));
		return { isKept: isKept === 1, expired: readAll(expired), released: readAll(released), now };
	}

	/** See {@link PresenceStore.release}. */
	async release(lease: PresenceLease, afterMs: number): Promise<void> {
		await this.#run(leaseScripts.release, lease, [afterMs]);
	}

	async register(lease: PresenceLease, number: number, topics: readonly string[]): Promise<void> {
		await this.#run(leaseScripts.register, lease, [number, ...topics]);
	}

	async unregister(lease: PresenceLease, topics: readonly (readonly [string, Buffer])[]): Promise<void> {
		await this.#run(leaseScripts.unregister, lease, [0, ...topics.flat()]);
	}

	/** See {@link SweepSteps.list}. */
	async list(lease: PresenceLease, cursor: string, limit: number): Promise<TopicList | undefined> {
		const reply = await this.#run(leaseScripts.walk, lease, [cursor, limit]);
		const [mode, serverMs, endsAt, next, ...fields] = reply as readonly [number, number, number, Buffer, ...Buffer[]];
		if (mode === 0) return undefined;
		const topics = entriesOf(fields) as ListedTopic[];
		return { isDueOnly: mode === 2, serverMs, endsAt, cursor: next.toString(), topics };
	}

	/** See {@link SweepSteps.settle}. */
	async settle(lease: PresenceLease, topics: readonly ListedTopic[], next: number): Promise<void> {
		await this.#run(leaseScripts.unregister, lease, [next, ...topics.flat()]);
	}

	/**
	 * Tells of a lease that has records in a topic. Resolves with whether it is known. If not, its server has lost it:
	 * it will be handed out to be swept, unless its node has a later one by then.
	 */
	async adopt(lease: PresenceLease, topic: string): Promise<boolean> {
		return (await this.#run(leaseScripts.adopt, lease, [topic])) === 1;
	}

	/** @throws {PresenceLeaseLostError} */
	async #run(script: RedisScript, lease: PresenceLease, args: readonly ScriptArgument[]): Promise<unknown> {
		const client = this.#runner.clientOf(LEASES_CHANNEL);
		try {
			return await this.#runner.run(client, script, leaseKeys(this.#keyPrefix, lease.nodeId), [
				encodeLease(lease),
				...args,
			]);
		} catch (error) {
			if (error instanceof Error && error.message.startsWith(`${NO_LEASE} `)) throw new PresenceLeaseLostError();
			throw error;
		}
	}
}
