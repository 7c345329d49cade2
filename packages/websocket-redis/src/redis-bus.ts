import type { Bus, BusHandlers, BusLiveness } from '@orijs/websocket';
import { RedisConnectionLostError, RedisReplicaError } from './errors.ts';
import { PublishBatch } from './publish-batch.ts';
import { connect, createClient, endpointOf, isRefusal, type RedisConnection } from './redis-client.ts';
import { RedisLink } from './redis-link.ts';
import { serverInfo } from './redis-server-info.ts';

export interface RedisBusOptions {
	readonly connection: RedisConnection;
	/** Channels are `{keyPrefix}:{topic}`. */
	readonly keyPrefix: string;
	/** In milliseconds. */
	readonly connectTimeout: number;
}

/** How many channels one SUBSCRIBE or UNSUBSCRIBE names. */
const CHANNELS_PER_COMMAND = 1_000;
/** How often the server is asked whether it is still the master, in milliseconds. */
const ROLE_CHECK_MS = 1_000;
/** The channel of the one lane there is: one connection to subscribe, one to publish. */
const LANE = '!';

/** Carries frames over Redis publish/subscribe: one connection to publish, one to subscribe. */
export class RedisBus implements Bus {
	readonly #options: RedisBusOptions;
	/** What should be subscribed, whatever the connection is doing. */
	readonly #topics = new Set<string>();
	#session: Session | undefined;

	readonly liveness: BusLiveness = {
		lanes: () => LANES,
		laneOf: () => 0,
		reconnect: (_lane, direction) => this.#drop(direction),
		suspect: () => void this.#findOutWhere(),
	};

	constructor(options: RedisBusOptions) {
		this.#options = options;
		// Bad options are to be heard of where they were written, not at start.
		createClient(options.connection, options.connectTimeout).disconnect();
	}

	async start(handlers: BusHandlers): Promise<void> {
		const { connection, connectTimeout, keyPrefix } = this.#options;
		const create = (): RedisLink => new RedisLink(createClient(connection, connectTimeout));
		const session: Session = {
			publisher: create(),
			subscriber: create(),
			handlers,
			ending: new AbortController(),
			batch: undefined,
			lostAt: undefined,
			recovery: undefined,
			degraded: undefined,
			roleCheck: undefined,
			onReplica: false,
			leaving: undefined,
		};
		this.#session = session;
		const { publisher, subscriber, ending } = session;
		const prefixLength = keyPrefix.length + 1;
		subscriber.client.on('messageBuffer', (channel: Buffer, frame: Buffer) => {
			handlers.deliver(channel.toString('latin1', prefixLength), frame);
		});
		try {
			await Promise.all(
				[publisher, subscriber].map(async (link) => {
					await connect(link.client, connectTimeout, ending.signal);
					if (await learnsOfReplica(link)) throw new RedisReplicaError(endpointOf(link.client));
				}),
			);
			ending.signal.throwIfAborted();
		} catch (error) {
			if (this.#session === session) this.#session = undefined;
			this.#end(session);
			throw error;
		}
		publisher.watch({
			onReady: () => void this.#recover(session, publisher),
			onLost: () => this.#degrade(session, 'the connection to publish by is down'),
		});
		subscriber.watch({
			onReady: () => void this.#recover(session, subscriber),
			onLost: () => {
				session.lostAt ??= Date.now();
				this.#degrade(session, 'the connection to subscribe by is down');
			},
		});
		session.roleCheck = setInterval(() => void this.#checkRole(session), ROLE_CHECK_MS);
		if (session.degraded === undefined) handlers.status({ state: 'ready' });
	}

	async stop(): Promise<void> {
		const session = this.#session;
		this.#session = undefined;
		this.#topics.clear();
		if (session !== undefined) this.#end(session);
	}

	async subscribe(topics: readonly string[]): Promise<void> {
		const session = this.#session;
		if (session === undefined) throw this.#down();
		for (const topic of topics) this.#topics.add(topic);
		if (!session.subscriber.isReady) return recovery(session);
		try {
			await this.#sendSubscribe(session, topics);
			if (session.lostAt !== undefined) await recovery(session);
		} catch (error) {
			// Everything wanted is asked for again once the connection is back.
			if (!isRefusal(error)) return recovery(session);
			for (const topic of topics) this.#topics.delete(topic);
			throw error;
		}
	}

	async unsubscribe(topics: readonly string[]): Promise<void> {
		for (const topic of topics) this.#topics.delete(topic);
		const subscriber = this.#session?.subscriber;
		if (subscriber?.isReady !== true) return;
		try {
			await Promise.all(this.#commands(topics).map((channels) => subscriber.client.unsubscribe(...channels)));
		} catch (error) {
			// A lost connection has ended every subscription.
			if (isRefusal(error)) throw error;
		}
	}

	publish(topic: string, frame: Uint8Array): Promise<number> {
		const session = this.#session;
		if (session === undefined || !session.publisher.isReady) return Promise.reject(this.#down());
		return this.#batch(session).add(this.#channel(topic), frame);
	}

	/** The commands of this turn of the event loop. */
	#batch(session: Session): PublishBatch {
		if (session.batch === undefined) {
			const batch = new PublishBatch(session.publisher.client.pipeline());
			session.batch = batch;
			queueMicrotask(() => {
				session.batch = undefined;
				void batch.send();
			});
		}
		return session.batch;
	}

	#channel(topic: string): string {
		return `${this.#options.keyPrefix}:${topic}`;
	}

	#commands(topics: readonly string[]): string[][] {
		const commands: string[][] = [];
		for (let i = 0; i < topics.length; i += CHANNELS_PER_COMMAND) {
			commands.push(topics.slice(i, i + CHANNELS_PER_COMMAND).map((topic) => this.#channel(topic)));
		}
		return commands;
	}

	async #sendSubscribe({ subscriber }: Session, topics: readonly string[]): Promise<void> {
		await Promise.all(this.#commands(topics).map((channels) => subscriber.client.subscribe(...channels)));
	}

	// Outages

	#degrade(session: Session, reason: string): void {
		if (session !== this.#session || session.degraded !== undefined) return;
		session.degraded = `Redis at ${endpointOf(session.publisher.client)}: ${reason}`;
		session.handlers.status({ state: 'degraded', reason: session.degraded });
	}

	/** Called whenever one of the connections is ready again: brings back what there was, once both are. */
	async #recover(session: Session, link: RedisLink): Promise<void> {
		const { publisher, subscriber, handlers } = session;
		const isUp = (): boolean => session === this.#session && publisher.isReady && subscriber.isReady;
		try {
			// Asked on the new connection alone: one that is subscribed may not be able to ask.
			if (await learnsOfReplica(link)) this.#leaveReplica(session);
			if (session.onReplica || !isUp()) return;
			const { lostAt } = session;
			if (lostAt !== undefined) {
				await this.#subscribeAgain(session);
				if (!isUp() || session.lostAt !== lostAt) return;
				session.lostAt = undefined;
				handlers.interrupted('all', lostAt, session.degraded ?? 'the connection to Redis was down');
				session.recovery?.resolve();
				session.recovery = undefined;
			}
			if (session.degraded === undefined) return;
			session.degraded = undefined;
			handlers.status({ state: 'ready' });
		} catch {
			// The connection failed again, and will be ready again.
		}
	}

	/** Rejects when the connection fails; what Redis refuses now is told and left. */
	async #subscribeAgain(session: Session): Promise<void> {
		const topics = [...this.#topics];
		const refused: string[] = [];
		const chunks: string[][] = [];
		for (let i = 0; i < topics.length; i += CHANNELS_PER_COMMAND)
			chunks.push(topics.slice(i, i + CHANNELS_PER_COMMAND));
		const ask = async (some: readonly string[]): Promise<void> => {
			try {
				await this.#sendSubscribe(session, some);
			} catch (error) {
				if (!isRefusal(error)) throw error;
				if (some.length > 1) {
					await Promise.all(some.map((topic) => ask([topic])));
					return;
				}
				const [topic] = some as [string];
				refused.push(topic);
				this.#topics.delete(topic);
				session.handlers.refused(topic, error);
			}
		};
		await Promise.all(chunks.map(ask));
	}

	#drop(direction: 'publish' | 'subscribe'): void {
		const session = this.#session;
		if (session === undefined) return;
		const link = direction === 'publish' ? session.publisher : session.subscriber;
		// One that is being made or made good again is left to it.
		if (!link.isReady || (direction === 'subscribe' && session.lostAt !== undefined)) return;
		this.#degrade(session, `the connection to ${direction} by is dead: heartbeats are not ${VERB[direction]}`);
		link.reset();
	}

	/** A replica accepts what is published to it and tells nobody but its own subscribers. */
	#leaveReplica(session: Session): void {
		if (session.onReplica || session !== this.#session) return;
		session.onReplica = true;
		session.lostAt ??= Date.now();
		this.#degrade(session, 'connected to a replica, which hands nothing on');
		session.leaving = setTimeout(() => {
			session.onReplica = false;
			for (const link of [session.publisher, session.subscriber]) if (link.isReady) link.reset();
		}, LEAVE_REPLICA_AFTER_MS);
	}

	async #checkRole(session: Session): Promise<void> {
		const { publisher } = session;
		if (session !== this.#session || !publisher.isReady || session.degraded !== undefined) return;
		try {
			const [role] = (await publisher.client.role()) as [string];
			if (role === 'slave') this.#leaveReplica(session);
		} catch {
			// Not allowed to ask, or the connection failed; heartbeats tell what matters.
		}
	}

	/** Another node fell silent: is it this one that is on the wrong server? A new connection shows where it belongs. */
	async #findOutWhere(): Promise<void> {
		const session = this.#session;
		if (session === undefined || session.degraded !== undefined) return;
		const probe = new RedisLink(createClient(this.#options.connection, this.#options.connectTimeout));
		try {
			await connect(probe.client, READY_TO_PROBE_MS, session.ending.signal);
			const { runId } = await serverInfo(probe.client);
			for (const link of [session.publisher, session.subscriber]) {
				if (session !== this.#session || !link.isReady || !runId || !link.runId || link.runId === runId) continue;
				this.#degrade(session, 'connected to a server that others have left');
				link.reset();
			}
		} catch {
			// No way to find out; what is wrong with the connections shows by itself.
		} finally {
			probe.close();
		}
	}

	#end({ publisher, subscriber, ending, recovery: pending, roleCheck, leaving }: Session): void {
		clearInterval(roleCheck);
		clearTimeout(leaving);
		const error = this.#down();
		ending.abort(error);
		pending?.reject(error);
		for (const link of [publisher, subscriber]) link.close();
	}

	#down(): RedisConnectionLostError {
		const client = this.#session?.publisher.client;
		return new RedisConnectionLostError(client === undefined ? 'no server, as the bus is stopped' : endpointOf(client));
	}
}

const LANES: readonly string[] = [LANE];
const READY_TO_PROBE_MS = 2_000;
const LEAVE_REPLICA_AFTER_MS = 500;
const VERB = { publish: 'answered', subscribe: 'heard again' } as const;

/** Asks a new connection what it leads to. Returns whether that is a replica. */
async function learnsOfReplica(link: RedisLink): Promise<boolean> {
	const { isReplica, runId } = await serverInfo(link.client);
	link.runId = runId;
	return isReplica === true;
}

/** What one start opened. */
interface Session {
	readonly publisher: RedisLink;
	readonly subscriber: RedisLink;
	readonly handlers: BusHandlers;
	/** Aborted when this session ends. */
	readonly ending: AbortController;
	batch: PublishBatch | undefined;
	/** Since when subscriptions are down, in milliseconds since the epoch. */
	lostAt: number | undefined;
	/** Settles when everything wanted is subscribed again. */
	recovery: PromiseWithResolvers<void> | undefined;
	/** Why messages may not pass. */
	degraded: string | undefined;
	roleCheck: ReturnType<typeof setInterval> | undefined;
	/** Connected to a replica, until the connections are dropped for another try. */
	onReplica: boolean;
	leaving: ReturnType<typeof setTimeout> | undefined;
}

function recovery(session: Session): Promise<void> {
	session.recovery ??= Promise.withResolvers<void>();
	return session.recovery.promise;
}
