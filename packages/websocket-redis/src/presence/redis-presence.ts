import {
	type PresenceBatch,
	type PresenceLease,
	PresenceLeaseLostError,
	type PresenceQuery,
	type PresenceState,
	type PresenceStore,
	type Renewal,
	type StoredPresence,
	type Sweep,
	type SweepOptions,
} from '@orijs/websocket';
import { presenceChannel } from '@orijs/websocket/internal';
import type { Redis } from 'ioredis';
import { KnownLeases } from './known-leases.ts';
import { LEASES_CHANNEL } from './keys.ts';
import { LeaseStore } from './lease-store.ts';
import { LeaseSweeps } from './lease-sweeps.ts';
import { PresenceProbe } from './presence-probe.ts';
import type { PresenceServers } from './presence-servers.ts';
import { RegisteredTopics } from './registered-topics.ts';
import { ScriptRunner } from './script-runner.ts';
import { ShardMarks } from './shard-marks.ts';
import type { Publish } from './topic-common.ts';
import { type Applied, TopicStore, TryAgain } from './topic-store.ts';

export interface RedisPresenceOptions {
	/**
	 * Keys begin with `{keyPrefix:`. Unlike channels, they belong to a database, so its number is not part of their
	 * names.
	 */
	readonly keyPrefix: string;
	readonly publish: Publish;
}

/** Keeps the members of each topic on the server that carries their changes, and all leases on one server. */
export class RedisPresence implements PresenceStore {
	readonly #options: RedisPresenceOptions;
	readonly #servers: PresenceServers;
	readonly #topics: TopicStore;
	readonly #leases: LeaseStore;
	readonly #known: KnownLeases;
	readonly #sweeps: LeaseSweeps;
	readonly #marks: ShardMarks;
	/** By the id of the node. */
	readonly #registered = new Map<string, RegisteredTopics>();
	#lost: (isAffected: (topic: string) => boolean) => void = () => {};

	constructor(options: RedisPresenceOptions, servers: PresenceServers) {
		const { keyPrefix, publish } = options;
		const runner = new ScriptRunner(servers);
		const topics = new TopicStore({ keyPrefix, publish, channelPrefix: () => servers.channelPrefix(), runner });
		const leases = new LeaseStore(keyPrefix, runner);
		this.#options = options;
		this.#servers = servers;
		this.#topics = topics;
		this.#leases = leases;
		this.#known = new KnownLeases(leases);
		this.#marks = new ShardMarks(keyPrefix, servers);
		this.#sweeps = new LeaseSweeps({
			list: (lease, cursor, limit) => leases.list(lease, cursor, limit),
			sweepTopic: (lease, topic, isDueOnly, sweep) => topics.sweep(lease, topic, isDueOnly, sweep),
			settle: (lease, listed, next) => leases.settle(lease, listed, next),
		});
	}

	/**
	 * Checks which commands the user may use on every server, and tries the scripts. Passing failures are ignored.
	 *
	 * @throws {PresenceUnsupportedError} a server can't keep presence
	 */
	async prepare(): Promise<void> {
		const { keyPrefix, publish } = this.#options;
		const probe = new PresenceProbe(keyPrefix, publish, this.#servers);
		await Promise.all(this.#servers.heartbeatChannels().map((channel) => probe.run(channel)));
	}

	async apply(topic: string, batch: PresenceBatch): Promise<PresenceState> {
		const calledAt = performance.now();
		for (;;) {
			const topics = this.#registeredOf(batch.lease);
			const registered = topics.begin(topic);
			let applied: Applied;
			try {
				if (registered.registering !== undefined) await registered.registering;
				applied = await this.#topics.apply(topic, batch, registered.epoch, calledAt);
			} catch (error) {
				topics.end(topic, registered);
				if (!(error instanceof TryAgain)) throw error;
				if (error.isLost) {
					topics.forget(topic);
					this.#lost((each) => each === topic);
				}
				continue;
			}
			const { version, count, records, others } = applied;
			topics.end(topic, registered, version?.epoch ?? '', records);
			this.#known.seen(topic, others);
			return { version, count };
		}
	}

	async read(topic: string, { after = '', limit }: PresenceQuery): Promise<StoredPresence> {
		let skipped = 0;
		for (let from: string | Buffer = after; ;) {
			const page = await this.#topics.read(topic, from, limit);
			const { version, count, members, end } = page;
			skipped += page.skipped;
			// If nothing of the page can be read, a caller would not know where the next one begins.
			if (members.length > 0 || end === undefined) {
				this.#known.seen(topic, page.leases);
				return { version, count, members, hasMore: end !== undefined, skipped };
			}
			from = end;
		}
	}

	async count(topic: string): Promise<PresenceState> {
		const { version, count } = await this.#topics.read(topic, '', 0);
		return { version, count };
	}

	async renew(lease: PresenceLease, leaseMs: number, isNew: boolean): Promise<Renewal> {
		this.#marks.check((client) => this.lostOn(client));
		const renewal = await this.#leases.renew(lease, leaseMs, isNew);
		// Either its server has lost the leases, or this one has been handed out.
		if (!renewal.isKept) this.#known.clear();
		const topics = this.#registered.get(lease.nodeId);
		// What can't be unregistered now is found without records by a sweep.
		if (topics?.lease.generation === lease.generation) topics.cutBack().catch(() => {});
		return renewal;
	}

	sweep(lease: PresenceLease, options: SweepOptions): Promise<Sweep> {
		return this.#sweeps.sweep(lease, options);
	}

	async release(lease: PresenceLease, afterMs: number): Promise<void> {
		const topics = this.#registered.get(lease.nodeId);
		if (topics?.lease.generation === lease.generation) {
			this.#registered.delete(lease.nodeId);
			await topics.cutBack();
		}
		await this.#leases.release(lease, afterMs);
	}

	onLost(listener: (isAffected: (topic: string) => boolean) => void): void {
		this.#lost = listener;
	}

	/** Called when a server may have lost what it had. @param client its client; without it, all servers are meant */
	lostOn(client?: Redis): void {
		if (client !== undefined && !this.#isOn(client, LEASES_CHANNEL)) {
			this.#lost((topic) => this.#isOn(client, presenceChannel(topic)));
			return;
		}
		// Topics may no longer be registered: putting their records again does that.
		this.#registered.clear();
		this.#known.clear();
		this.#lost(() => true);
	}

	#isOn(client: Redis, channel: string): boolean {
		try {
			return this.#servers.clientOf(channel) === client;
		} catch {
			// No server has it at the moment.
			return true;
		}
	}

	/** @throws {PresenceLeaseLostError} a later generation is in use */
	#registeredOf(lease: PresenceLease): RegisteredTopics {
		const known = this.#registered.get(lease.nodeId);
		if (known?.lease.generation === lease.generation) return known;
		if (known !== undefined && known.lease.generation > lease.generation) throw new PresenceLeaseLostError();
		const topics = new RegisteredTopics(lease, this.#leases);
		this.#registered.set(lease.nodeId, topics);
		return topics;
	}
}
