import type { BusHandlers } from '@orijs/websocket';
import type { Redis } from 'ioredis';
import { RedisConnectionLostError, RedisReplicaError } from '../errors.ts';
import type { PubSubCommands } from './pub-sub-commands.ts';
import { PublishCommand } from './publish-command.ts';
import { receive } from '../wire/receive.ts';
import { connect, endpointOf, isRefusal } from './client-options.ts';
import { ServerConnection } from './server-connection.ts';
import { type ServerInfo, serverInfo } from './server-info.ts';

export interface RedisServerOptions {
	/** Makes a client for the server, not connected yet. */
	readonly createClient: () => Redis;
	readonly commands: PubSubCommands;
	/** Channels are `{keyPrefix}:{topic}`. */
	readonly keyPrefix: string;
	/** In milliseconds. */
	readonly connectTimeout: number;
}

/** How often the server is asked whether it is still the master, in milliseconds. */
const SERVER_CHECK_MS = 1_000;
/** A replica reports to its master every second; one that is later than this may have left it, in milliseconds. */
const LAG_IN_DOUBT_MS = 2_000;
/** How long a server with fewer replicas than before is in doubt, in milliseconds. */
const FEWER_IN_DOUBT_MS = 30_000;
/** A server tells its uptime in whole seconds. */
const UPTIME_PRECISION_MS = 1_500;
/** How long connections to a replica are kept before a new try, in milliseconds. */
const LEAVE_REPLICA_AFTER_MS = 500;
/** How long a probe for the right server may take, in milliseconds. */
const PROBE_MS = 2_000;

/** One server, reached by one connection to publish and one to subscribe, both made again for ever. */
export class RedisServer {
	readonly #options: RedisServerOptions;
	readonly #handlers: BusHandlers;
	readonly #publisher: ServerConnection;
	readonly #subscriber: ServerConnection;
	/** What should be subscribed, whatever the connection is doing. */
	readonly #topics = new Set<string>();
	/** Aborted when this lane ends. */
	readonly #ending = new AbortController();
	/** What Redis refused when everything was subscribed again. */
	readonly #refusals = new Map<string, Error>();
	readonly #publish: PublishCommand;
	/** Whether what should be subscribed is. */
	#subscribed = true;
	/** Since when subscriptions that there were are down, in milliseconds since the epoch. */
	#lostAt: number | undefined;
	/** Settles when everything wanted is subscribed. */
	#recovery: PromiseWithResolvers<void> | undefined;
	/** Why messages may not pass. */
	#degraded: string | undefined;
	/** Connected to a replica, until the connections are dropped for another try. */
	#onReplica = false;
	/** The reason for an outage that was told last. */
	#toldError: string | undefined;
	#roleCheck: ReturnType<typeof setInterval> | undefined;
	#leaving: ReturnType<typeof setTimeout> | undefined;
	/** How many replicas the server has. */
	#replicas = 0;
	/** Since when it has fewer, in milliseconds since the epoch. */
	#fewerSince: number | undefined;

	constructor(options: RedisServerOptions, handlers: BusHandlers) {
		this.#options = options;
		this.#handlers = handlers;
		this.#publisher = new ServerConnection(options.createClient());
		this.#publish = new PublishCommand(this.#publisher.client, options.commands.publish);
		this.#subscriber = new ServerConnection(options.createClient());
		const prefixLength = options.keyPrefix.length + 1;
		this.#subscriber.client.on(options.commands.messageEvent, (channel: Buffer, frame: Buffer) => {
			receive(handlers, channel.toString('latin1', prefixLength), frame);
		});
	}

	get #links(): readonly ServerConnection[] {
		return [this.#publisher, this.#subscriber];
	}

	get endpoint(): string {
		return endpointOf(this.#publisher.client);
	}

	/** Why messages may not pass; undefined when they do. */
	get degraded(): string | undefined {
		return this.#degraded;
	}

	/** Since when subscriptions are down, in milliseconds since the epoch; undefined while they are not. */
	get lostAt(): number | undefined {
		return this.#lostAt;
	}

	/** A connection for questions to the server; ready when `degraded` is undefined. */
	get client(): Redis {
		return this.#publisher.client;
	}

	/** What should be subscribed. */
	get topics(): ReadonlySet<string> {
		return this.#topics;
	}

	/** Connects; rejects when that is not done in time, and closes the lane. */
	async open(): Promise<void> {
		try {
			await Promise.all(this.#links.map((link) => this.#openLink(link)));
			this.#ending.signal.throwIfAborted();
		} catch (error) {
			this.close();
			throw error;
		}
		this.#watch();
	}

	async #openLink(link: ServerConnection): Promise<void> {
		await connect(link.client, this.#options.connectTimeout, this.#ending.signal);
		if ((await this.#meet(link)).isReplica === true) throw new RedisReplicaError(endpointOf(link.client));
	}

	/** Asks a new connection what it leads to. */
	async #meet(link: ServerConnection): Promise<ServerInfo> {
		const now = Date.now();
		const info = await serverInfo(link.client);
		const isSame = link.runId !== undefined && info.runId === link.runId;
		if (!isSame) {
			// A server that was up before the connection was lost is not the lost one restarted: both were there at a time.
			const coexisted = info.startedAt !== undefined && info.startedAt < (this.#lostAt ?? now) - UPTIME_PRECISION_MS;
			if (link.runId !== undefined && info.runId !== undefined && coexisted) this.#doubt([link]);
			link.runId = info.runId;
			link.verifiedAt = now;
			if (link === this.#publisher) {
				this.#replicas = info.replicas;
				this.#fewerSince = undefined;
			}
		}
		return info;
	}

	/** Connects in the background, however long it takes. */
	openLater(): void {
		this.#subscribed = false;
		this.#degraded = `Redis at ${this.endpoint}: not connected yet`;
		for (const { client } of this.#links) client.connect().catch(() => {});
		this.#watch();
	}

	close(): void {
		clearInterval(this.#roleCheck);
		clearTimeout(this.#leaving);
		const error = this.#down();
		this.#ending.abort(error);
		this.#recovery?.reject(error);
		for (const link of this.#links) link.close();
	}

	#watch(): void {
		this.#publisher.watch({
			onReady: () => void this.#recover(this.#publisher),
			onLost: () => this.#lost(this.#publisher, 'publish'),
		});
		this.#subscriber.watch({
			onReady: () => void this.#recover(this.#subscriber),
			onLost: () => {
				if (this.#subscribed) this.#lostAt ??= Date.now();
				this.#subscribed = false;
				this.#lost(this.#subscriber, 'subscribe');
			},
		});
		this.#roleCheck = setInterval(() => void this.#checkServer(), SERVER_CHECK_MS);
	}

	/** As {@link Bus.subscribe}. */
	async subscribe(topics: readonly string[]): Promise<void> {
		for (const topic of topics) {
			this.#topics.add(topic);
			this.#refusals.delete(topic);
		}
		if (!this.#subscriber.isReady) return this.#recoveredWith(topics);
		try {
			await this.#sendSubscribe(topics);
		} catch (error) {
			// Everything wanted is asked for again once the connection is back.
			if (!isRefusal(error)) return this.#recoveredWith(topics);
			for (const topic of topics) this.#topics.delete(topic);
			throw error;
		}
		if (!this.#subscribed) await this.#recoveredWith(topics);
	}

	/** As {@link Bus.unsubscribe}. */
	async unsubscribe(topics: readonly string[]): Promise<void> {
		for (const topic of topics) this.#topics.delete(topic);
		const { client, isReady } = this.#subscriber;
		if (!isReady) return;
		const { commands } = this.#options;
		try {
			await Promise.all(this.#channels(topics).map((channels) => commands.unsubscribe(client, channels)));
		} catch (error) {
			// A lost connection has ended every subscription.
			if (isRefusal(error)) throw error;
		}
	}

	/** As {@link Bus.publish}. */
	publish(topic: string, frame: Uint8Array): Promise<number> {
		return this.#publisher.isReady ? this.#publish.publish(this.#channel(topic), frame) : Promise.reject(this.#down());
	}

	#channel(topic: string): string {
		return `${this.#options.keyPrefix}:${topic}`;
	}

	#channels(topics: readonly string[]): readonly (readonly string[])[] {
		return this.#options.commands.group(topics.map((topic) => this.#channel(topic)));
	}

	async #sendSubscribe(topics: readonly string[]): Promise<void> {
		const { commands } = this.#options;
		const { client } = this.#subscriber;
		await Promise.all(this.#channels(topics).map((channels) => commands.subscribe(client, channels)));
	}

	/** The connection is dead in one direction: drops it, with what is under way on it, for a new one. */
	drop(direction: 'publish' | 'subscribe'): void {
		const link = direction === 'publish' ? this.#publisher : this.#subscriber;
		// One that is being made, or made good, is left to it.
		if (!link.isReady || (direction === 'subscribe' && !this.#subscribed)) return;
		this.#degrade(`the connection to ${direction} by is dead: heartbeats are not ${SIGN_OF_LIFE[direction]}`);
		link.reset();
	}

	/** A new connection shows where this node belongs. Leaves the server it is on when that is another. */
	async verifyPrimary(): Promise<boolean> {
		if (this.#degraded !== undefined) return false;
		const probe = new ServerConnection(this.#options.createClient());
		try {
			await connect(probe.client, PROBE_MS, this.#ending.signal);
			const asked = Date.now();
			const info = await serverInfo(probe.client);
			const { runId } = info;
			const strays = this.#links.filter((link) => link.isReady && runId && link.runId && link.runId !== runId);
			if (strays.length === 0) return this.#isTrusted(info, asked);
			this.#leave(strays, 'connected to a server that others have left');
		} catch {
			// No way to find out; what is wrong with the connections shows by itself.
		} finally {
			probe.close();
		}
		return false;
	}

	/** These connections lead to the wrong server: what came and went by them is in doubt since that was last known to be right. */
	#leave(strays: readonly ServerConnection[], reason: string): void {
		this.#doubt(strays);
		this.#degrade(reason);
		for (const link of strays) if (link.isReady) link.reset();
	}

	#doubt(links: readonly ServerConnection[]): void {
		if (links.includes(this.#publisher)) this.#handlers.undelivered(this.#publisher.verifiedAt);
		if (!links.includes(this.#subscriber)) return;
		const { verifiedAt } = this.#subscriber;
		if (this.#subscribed) this.#lostAt = verifiedAt;
		else if (this.#lostAt !== undefined) this.#lostAt = Math.min(this.#lostAt, verifiedAt);
		this.#subscribed = false;
	}

	/**
	 * Whether a server that answers is to be taken for the right one. One whose replicas are gone, or not heard of, may have been left for
	 * a new master, also where Sentinels or names still lead to it; only after a while are fewer replicas taken for what they seem.
	 */
	#isTrusted({ replicas, lagMs }: ServerInfo, asked: number): boolean {
		if (lagMs > LAG_IN_DOUBT_MS) return false;
		if (replicas < this.#replicas) {
			this.#fewerSince ??= asked;
			if (asked - this.#fewerSince < FEWER_IN_DOUBT_MS) return false;
		}
		this.#fewerSince = undefined;
		this.#replicas = replicas;
		this.#verified(asked - lagMs);
		return true;
	}

	/** The server that is published to was the right one at that time; the other connection is as good if it leads there too. */
	#verified(at: number): void {
		this.#publisher.verifiedAt = Math.max(this.#publisher.verifiedAt, at);
		if (this.#subscriber.runId !== this.#publisher.runId) return;
		this.#subscriber.verifiedAt = Math.max(this.#subscriber.verifiedAt, at);
	}

	/** Also called for each try to reconnect that fails; a reason that was not told yet is told. */
	#lost(link: ServerConnection, direction: 'publish' | 'subscribe'): void {
		this.#degrade(`the connection to ${direction} by is down`);
		if (link.lastError === undefined || link.lastError === this.#toldError || this.#ending.signal.aborted) return;
		this.#toldError = link.lastError;
		this.#handlers.error(new RedisConnectionLostError(this.endpoint, { cause: new Error(link.lastError) }), 'connect');
	}

	#degrade(reason: string): void {
		if (this.#ending.signal.aborted || this.#degraded !== undefined) return;
		this.#degraded = `Redis at ${this.endpoint}: ${reason}`;
		this.#handlers.status({ state: 'degraded', reason: this.#degraded });
	}

	get #isUp(): boolean {
		return !this.#ending.signal.aborted && !this.#onReplica && this.#publisher.isReady && this.#subscriber.isReady;
	}

	/** One of the connections is ready again: brings back what there was, once both are. */
	async #recover(link: ServerConnection): Promise<void> {
		try {
			// Asked on the new connection alone: one that is subscribed may not be able to ask.
			if ((await this.#meet(link)).isReplica === true) this.#leaveReplica();
			if (!this.#isUp) return;
			if (!this.#subscribed) {
				const lostAt = this.#lostAt;
				await this.#subscribeAll();
				if (!this.#isUp || this.#lostAt !== lostAt) return;
				this.#subscribed = true;
				this.#lostAt = undefined;
				if (lostAt !== undefined)
					this.#handlers.interrupted([...this.#topics], lostAt, this.#degraded ?? 'connection lost');
				this.#recovery?.resolve();
				this.#recovery = undefined;
			}
			if (this.#degraded === undefined) return;
			this.#degraded = undefined;
			this.#toldError = undefined;
			this.#handlers.status({ state: 'ready' });
		} catch {
			// The connection failed again, and will be ready again.
		}
	}

	/** Rejects when the connection fails. What Redis refuses now is told and left. */
	async #subscribeAll(): Promise<void> {
		const ask = async (topics: readonly string[]): Promise<void> => {
			try {
				await this.#sendSubscribe(topics);
			} catch (error) {
				if (!isRefusal(error)) throw error;
				if (topics.length > 1) {
					await Promise.all(topics.map((topic) => ask([topic])));
					return;
				}
				for (const topic of topics) {
					this.#topics.delete(topic);
					this.#refusals.set(topic, error);
					this.#handlers.refused(topic, this.#lostAt ?? Date.now(), error);
				}
			}
		};
		this.#refusals.clear();
		await ask([...this.#topics]);
	}

	/** A replica accepts what is published to it and tells nobody but its own subscribers. */
	#leaveReplica(): void {
		if (this.#onReplica || this.#ending.signal.aborted) return;
		this.#onReplica = true;
		this.#doubt(this.#links);
		this.#degrade('connected to a replica, which hands nothing on');
		this.#leaving = setTimeout(() => {
			this.#onReplica = false;
			for (const link of this.#links) if (link.isReady) link.reset();
		}, LEAVE_REPLICA_AFTER_MS);
	}

	/** Is the server still the master, and the one that everybody is on? */
	async #checkServer(): Promise<void> {
		if (!this.#publisher.isReady || this.#degraded !== undefined) return;
		const asked = Date.now();
		try {
			const info = await serverInfo(this.#publisher.client);
			if (this.#degraded !== undefined) return;
			if (info.isReplica === true) this.#leaveReplica();
			else if (!this.#isTrusted(info, asked)) await this.verifyPrimary();
		} catch {
			// The connection failed, which shows by itself.
		}
	}

	/** Resolves when these topics are subscribed, with everything else; rejects when Redis refuses one of them. */
	async #recoveredWith(topics: readonly string[]): Promise<void> {
		await this.#recovered();
		for (const topic of topics) {
			const refusal = this.#refusals.get(topic);
			if (refusal !== undefined) throw refusal;
		}
	}

	#recovered(): Promise<void> {
		if (this.#ending.signal.aborted) return Promise.reject(this.#down());
		this.#recovery ??= Promise.withResolvers<void>();
		return this.#recovery.promise;
	}

	#down(): RedisConnectionLostError {
		return new RedisConnectionLostError(this.endpoint);
	}
}

const SIGN_OF_LIFE = { publish: 'answered', subscribe: 'heard again' } as const;
