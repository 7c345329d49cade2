import type { Bus, BusHandlers, BusLiveness, HistoryStore } from '@orijs/websocket';
import type { Redis, RedisOptions } from 'ioredis';
import { slotOf } from './slot.ts';
import { type ClusterAddress, type ClusterTopology, readTopology } from './topology.ts';
import {
	ClusterDownError,
	ClusterUnsupportedError,
	InvalidRedisOptionError,
	RedisConnectionLostError,
} from '../errors.ts';
import { UnassignedChannels } from './unassigned-channels.ts';
import { shardedPubSub } from '../server/pub-sub-commands.ts';
import { connect, createClient, isRefusal } from '../server/client-options.ts';
import { RedisHistory } from '../history/redis-history.ts';
import { RedisServer } from '../server/redis-server.ts';
import { ServerConnection } from '../server/server-connection.ts';

export interface ClusterBusOptions {
	/** Some of the cluster's nodes; the others are found. */
	readonly nodes: readonly ClusterAddress[];
	/** For every connection: password, TLS and the like. */
	readonly options: RedisOptions;
	/** Channels are `{keyPrefix}:{topic}`. */
	readonly keyPrefix: string;
	/** In milliseconds. */
	readonly connectTimeout: number;
}

/** How often the cluster is asked who serves what, in milliseconds. A moved slot is noticed that late at the most. */
const POLL_MS = 500;
/** What a cluster says while it sorts itself out; it may say something else a moment later. */
const PASSING = /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN|LOADING|MASTERDOWN)\b/;

const sharded = shardedPubSub(slotOf);

/** Carries frames over a Redis Cluster's sharded publish/subscribe: each message costs the shard of its channel, one lane a shard. */
export class ClusterBus implements Bus {
	readonly #options: ClusterBusOptions;
	#session: Session | undefined;

	readonly history: HistoryStore;

	readonly liveness: BusLiveness = {
		heartbeatChannels: () => this.#session?.beats ?? [],
		shardOf: (topic) => this.#shardOf(topic)?.number ?? 0,
		reconnect: (beat, direction) => this.#shardOf(beat)?.lane.drop(direction),
		verifyPrimary: async () => {
			const lanes = Array.from(this.#session?.lanes.values() ?? [], ({ lane }) => lane.verifyPrimary());
			return (await Promise.all(lanes)).every(Boolean);
		},
	};

	constructor(options: ClusterBusOptions) {
		this.#options = options;
		if (!Array.isArray(options.nodes) || options.nodes.length === 0) {
			throw new InvalidRedisOptionError('connection.cluster must list at least one node as { host, port }');
		}
		this.history = new RedisHistory(
			{ keyPrefix: options.keyPrefix, publish: sharded.publish },
			{
				shardOf: (topic) => this.#servedBy(topic),
				// Each of these is on another master.
				trialTopics: () => this.#session?.beats.map((beat) => `${beat}history`) ?? [],
				failed: (error) => this.#askAgainAfter(error),
			},
		);
	}

	async start(handlers: BusHandlers): Promise<void> {
		const session: Session = {
			handlers,
			lanes: new Map(),
			owners: [],
			beats: [],
			homeless: new UnassignedChannels(),
			confirmedAt: Date.now(),
			degraded: undefined,
			timer: undefined,
			polling: false,
			ending: new AbortController(),
		};
		this.#session = session;
		try {
			const topology = await this.#firstTopology(session);
			for (const [name, address] of topology.masters) this.#addLane(session, name, address);
			await Promise.all(Array.from(session.lanes.values(), ({ lane }) => lane.open()));
			session.ending.signal.throwIfAborted();
			this.#adopt(session, topology);
		} catch (error) {
			if (this.#session === session) this.#session = undefined;
			this.#end(session);
			throw error;
		}
		this.#schedule(session);
		if (session.degraded === undefined) handlers.status({ state: 'ready' });
	}

	async stop(): Promise<void> {
		const session = this.#session;
		this.#session = undefined;
		if (session !== undefined) this.#end(session);
	}

	async subscribe(topics: readonly string[]): Promise<void> {
		const session = this.#session;
		if (session === undefined) throw stopped();
		const groups = this.#byLane(session, topics);
		await Promise.all(Array.from(groups, ([owner, some]) => this.#subscribeAt(session, owner, some)));
	}

	/** Resolves when the topics are subscribed, there or, when they have moved, wherever they are served then. */
	async #subscribeAt(session: Session, owner: Shard | undefined, topics: readonly string[]): Promise<void> {
		if (owner === undefined) return session.homeless.wait(topics, undefined);
		try {
			await owner.lane.subscribe(topics);
		} catch (error) {
			if (!isPassing(error)) throw error;
			return session.homeless.wait(topics, undefined);
		}
	}

	async unsubscribe(topics: readonly string[]): Promise<void> {
		const session = this.#session;
		if (session === undefined) return;
		session.homeless.leave(topics);
		const groups = this.#byLane(session, topics);
		await Promise.all(Array.from(groups, async ([owner, some]) => owner?.lane.unsubscribe(some)));
	}

	publish(topic: string, frame: Uint8Array): Promise<number> {
		const session = this.#session;
		if (session === undefined) return Promise.reject(stopped());
		const owner = this.#shardOf(topic);
		// What is refused here is not tried elsewhere: it could overtake, or be overtaken.
		if (owner === undefined) return Promise.reject(new ClusterDownError());
		return owner.lane.publish(topic, frame).catch((error: unknown) => {
			this.#askAgainAfter(error);
			throw error;
		});
	}

	/** The lane that has a topic. @throws {ClusterDownError} {RedisConnectionLostError} */
	#servedBy(topic: string): RedisServer {
		if (this.#session === undefined) throw stopped();
		const owner = this.#shardOf(topic);
		if (owner === undefined) throw new ClusterDownError();
		return owner.lane;
	}

	/** A slot that is served elsewhere by now is looked for at once. */
	#askAgainAfter(error: unknown): void {
		if (this.#session !== undefined && isPassing(error)) this.#schedule(this.#session, 0);
	}

	#slotOf(topic: string): number {
		return slotOf(`${this.#options.keyPrefix}:${topic}`);
	}

	#shardOf(topic: string): Shard | undefined {
		const session = this.#session;
		const owner = session?.owners[this.#slotOf(topic)];
		return owner === undefined ? undefined : session?.lanes.get(owner);
	}

	#byLane(session: Session, topics: readonly string[]): Map<Shard | undefined, string[]> {
		const groups = new Map<Shard | undefined, string[]>();
		for (const topic of topics) {
			const owner = session.owners[this.#slotOf(topic)];
			const shard = owner === undefined ? undefined : session.lanes.get(owner);
			const group = groups.get(shard);
			if (group === undefined) groups.set(shard, [topic]);
			else group.push(topic);
		}
		return groups;
	}

	// Who serves what

	async #firstTopology(session: Session): Promise<ClusterTopology> {
		const attempts = this.#options.nodes.map(async (address) => {
			const link = new ServerConnection(this.#createClient(address));
			try {
				await connect(link.client, this.#options.connectTimeout, session.ending.signal);
				await mustBeAbleTo(link.client);
				return await readTopology(link.client);
			} finally {
				link.close();
			}
		});
		try {
			return await Promise.any(attempts);
		} catch (error) {
			// Each node has its own reason; the first listed stands for them.
			throw error instanceof AggregateError ? error.errors[0] : error;
		}
	}

	#createClient({ host, port }: ClusterAddress): Redis {
		return createClient({ ...this.#options.options, host, port, db: 0 }, this.#options.connectTimeout);
	}

	#addLane(session: Session, name: string, address: ClusterAddress): Shard {
		const { keyPrefix, connectTimeout } = this.#options;
		const options = { createClient: () => this.#createClient(address), commands: sharded, keyPrefix, connectTimeout };
		const lane = new RedisServer(options, {
			deliver: (topic, frame) => session.handlers.deliver(topic, frame),
			appended: (topic, slice) => session.handlers.appended(topic, slice),
			status: () => this.#judge(session),
			interrupted: (topics, since, reason) => session.handlers.interrupted(topics, since, reason),
			// A cluster's node refuses what is not its own to hand on.
			undelivered() {},
			refused: (topic, since, error) => {
				if (isPassing(error)) void session.homeless.wait([topic], session.confirmedAt);
				else session.handlers.refused(topic, since, error);
			},
			error: (error, stage) => session.handlers.error(error, stage),
		});
		const shard: Shard = { lane, number: 0 };
		session.lanes.set(name, shard);
		return shard;
	}

	/** Asks the cluster after that time, and from then on regularly. */
	#schedule(session: Session, delayMs: number = POLL_MS): void {
		if (session !== this.#session || session.polling) return;
		clearTimeout(session.timer);
		session.timer = setTimeout(() => {
			session.polling = true;
			void this.#poll(session).finally(() => {
				session.polling = false;
				this.#schedule(session);
			});
		}, delayMs);
	}

	/** Asks the first node that answers; those that are down are passed over. */
	async #poll(session: Session): Promise<void> {
		for (const { lane } of session.lanes.values()) {
			if (lane.client.status !== 'ready') continue;
			try {
				const topology = await within(POLL_MS, readTopology(lane.client));
				if (session === this.#session) this.#adopt(session, topology);
				return;
			} catch {
				// Another one may know.
			}
		}
	}

	/** Takes over what the cluster says: topics follow their slots, and where that changes something messages may be missing. */
	#adopt(session: Session, { owners, masters }: ClusterTopology): void {
		const before = session.confirmedAt;
		session.owners = owners;
		for (const [name, address] of masters) {
			if (!session.lanes.has(name)) this.#addLane(session, name, address).lane.openLater();
		}
		const moved = new Map<string, number>();
		for (const [name, shard] of session.lanes) {
			const gone = [...shard.lane.topics].filter((topic) => owners[this.#slotOf(topic)] !== name);
			if (gone.length === 0) continue;
			const since = Math.min(before, shard.lane.lostAt ?? before);
			for (const topic of gone) moved.set(topic, since);
			shard.lane.unsubscribe(gone).catch(() => {});
		}
		for (const [topic, since] of moved) void session.homeless.wait([topic], since);
		this.#settle(session);
		for (const [name, shard] of session.lanes) {
			if (masters.has(name)) continue;
			shard.lane.close();
			session.lanes.delete(name);
		}
		session.beats = this.#nameLanes(session);
		session.confirmedAt = Date.now();
		this.#judge(session);
	}

	/**
	 * One channel for each lane, `!` and a number: the least that its slots have. All nodes that see the same cluster agree on it, and it
	 * stays when a replica takes over: what the old master still delivers then is told from what the new one does.
	 */
	#nameLanes({ owners, lanes }: Session): string[] {
		const beats = new Map<Shard, string>();
		const wanted = new Set(owners.filter((owner) => owner !== undefined && lanes.has(owner))).size;
		for (let number = 0; beats.size < wanted; number++) {
			const channel = `!${number}`;
			const owner = owners[this.#slotOf(channel)];
			const shard = owner === undefined ? undefined : lanes.get(owner);
			if (shard === undefined || beats.has(shard)) continue;
			shard.number = number;
			beats.set(shard, channel);
		}
		return [...beats.values()];
	}

	/** Finds a place for those that have none. */
	#settle(session: Session): void {
		const { homeless, handlers } = session;
		for (const [shard, topics] of this.#byLane(session, homeless.topics())) {
			if (shard === undefined) continue;
			const waiting = homeless.take(topics);
			shard.lane.subscribe(topics).then(
				() => {
					if (session !== this.#session) return;
					const moved = waiting.filter(({ since }) => since !== undefined);
					if (moved.length > 0) {
						const since = Math.min(...moved.map((each) => each.since ?? 0));
						const topicsMoved = moved.map(({ topic }) => topic);
						handlers.interrupted(topicsMoved, since, 'the slots of these topics moved to another master');
					}
					for (const { placed } of waiting) placed.resolve();
				},
				(error: Error) => {
					if (session === this.#session && isPassing(error)) {
						homeless.putBack(waiting);
						return;
					}
					for (const { topic, since, placed } of waiting) {
						placed.reject(error);
						if (since !== undefined && session === this.#session) handlers.refused(topic, since, error);
					}
				},
			);
		}
	}

	/** Says so when what is true of the whole has changed. */
	#judge(session: Session): void {
		if (session !== this.#session) return;
		let reason = session.owners.includes(undefined) ? 'the cluster does not serve all slots' : undefined;
		for (const { lane } of session.lanes.values()) reason ??= lane.degraded;
		if ((reason === undefined) === (session.degraded === undefined)) return;
		session.degraded = reason;
		session.handlers.status(reason === undefined ? { state: 'ready' } : { state: 'degraded', reason });
	}

	#end(session: Session): void {
		clearTimeout(session.timer);
		session.ending.abort(stopped());
		for (const { lane } of session.lanes.values()) lane.close();
		session.homeless.close(stopped());
	}
}

interface Shard {
	readonly lane: RedisServer;
	/** Its number in frames and in the name of its heartbeats' channel. */
	number: number;
}

/** What one start opened. */
interface Session {
	readonly handlers: BusHandlers;
	/** By the master's address. */
	readonly lanes: Map<string, Shard>;
	owners: readonly (string | undefined)[];
	beats: readonly string[];
	/** Topics that no lane has at the moment. */
	readonly homeless: UnassignedChannels;
	/** When the cluster last confirmed who serves what, in milliseconds since the epoch. */
	confirmedAt: number;
	degraded: string | undefined;
	timer: ReturnType<typeof setTimeout> | undefined;
	polling: boolean;
	readonly ending: AbortController;
}

function isPassing(error: unknown): boolean {
	return error instanceof Error && PASSING.test(error.message);
}

function stopped(): Error {
	return new RedisConnectionLostError('no cluster, as the bus is stopped');
}

/** @throws {ClusterUnsupportedError} */
async function mustBeAbleTo(client: Redis): Promise<void> {
	try {
		const [known] = await client.command('INFO', 'ssubscribe');
		if (known === null) throw new ClusterUnsupportedError();
	} catch (error) {
		// Who may not ask will be told by the first subscription.
		if (!isRefusal(error)) throw error;
	}
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
	const { promise: timeout, reject } = Promise.withResolvers<never>();
	const timer = setTimeout(() => reject(new Error('no answer in time')), ms);
	try {
		return await Promise.race([promise, timeout]);
	} finally {
		clearTimeout(timer);
	}
}
