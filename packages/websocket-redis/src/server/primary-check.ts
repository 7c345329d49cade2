import type { BusHandlers } from '@orijs/websocket';
import { wallTime } from '@orijs/websocket/internal';
import type { ConnectionSource } from './connection-source.ts';
import { ServerConnection } from './server-connection.ts';
import { type ServerInfo, serverInfo } from './server-info.ts';
import type { ServerStatus } from './server-status.ts';
import type { Subscriptions } from './subscriptions.ts';

export interface PrimaryCheckOptions {
	readonly publisher: ServerConnection;
	readonly subscriber: ServerConnection;
	readonly subscriptions: Subscriptions;
	readonly status: ServerStatus;
	readonly source: ConnectionSource;
	readonly handlers: Pick<BusHandlers, 'undelivered' | 'replaced'>;
	/** Aborted when the server is closed. */
	readonly ending: AbortSignal;
}

/** What a server says of itself in its reply to a beat. */
export type LearnedInfo = Pick<ServerInfo, 'isReplica' | 'replicas' | 'lagMs' | 'runId'>;

/** The time between two checks that the server is still the primary, in milliseconds. */
const CHECK_MS = 1_000;
/** If no beat has been answered for this long, in milliseconds, a check asks the server. */
const LEARNED_MS = 1_500;
/**
 * A replica reports to its primary every second. If it has been silent for longer than this, in milliseconds, it may
 * have a new primary.
 */
const TRUSTED_LAG_MS = 2_000;
/** For how long a server is not trusted after it has lost replicas, in milliseconds. */
const FEWER_REPLICAS_MS = 30_000;
/** The tolerance for a server's uptime, in milliseconds: servers report it in whole seconds. */
const UPTIME_PRECISION_MS = 1_500;
/** How long connections to a replica are kept before they are replaced, in milliseconds. */
const LEAVE_REPLICA_AFTER_MS = 500;
/** How long a probe may take, in milliseconds. */
const PROBE_MS = 2_000;

/** Checks whether a server's connections lead to the current primary, and drops connections that do not. */
export class PrimaryCheck {
	readonly #options: PrimaryCheckOptions;
	readonly #connections: readonly ServerConnection[];
	#isOnReplica = false;
	#timer: ReturnType<typeof setInterval> | undefined;
	#leaving: ReturnType<typeof setTimeout> | undefined;
	/** The number of replicas that the server had when it was last trusted. */
	#replicas = 0;
	/**
	 * When the server was first seen with fewer replicas than that, by the monotonic clock; undefined if it has at least
	 * as many.
	 */
	#fewerSince: number | undefined;
	/** What the server has said of itself in its last reply to a beat. */
	#learned: { readonly info: LearnedInfo; readonly askedAt: number; readonly at: number } | undefined;

	constructor(options: PrimaryCheckOptions) {
		this.#options = options;
		this.#connections = [options.publisher, options.subscriber];
	}

	/** Whether the server is a replica, to which this node stays connected for a moment before it tries again. */
	get isOnReplica(): boolean {
		return this.#isOnReplica;
	}

	/** Whether the two connections lead to different servers, so that what is published does not come back. */
	get areApart(): boolean {
		const { publisher, subscriber } = this.#options;
		return publisher.runId !== undefined && subscriber.runId !== undefined && publisher.runId !== subscriber.runId;
	}

	/** Starts checking the server regularly. */
	start(): void {
		this.#timer = setInterval(() => void this.#check(), CHECK_MS);
	}

	stop(): void {
		clearInterval(this.#timer);
		clearTimeout(this.#leaving);
	}

	/** Finds out which server a new connection leads to. Rejects if the connection fails. */
	async identify(connection: ServerConnection): Promise<ServerInfo> {
		const now = performance.now();
		const { lostAt } = connection;
		const info = await serverInfo(connection.client);
		const isSame = connection.runId !== undefined && info.runId === connection.runId;
		if (!isSame) {
			const { publisher, handlers } = this.#options;
			// If this server was already running when the old connection was lost, it can't be the old server after a
			// restart.
			const coexisted = info.startedAt !== undefined && info.startedAt < (lostAt ?? now) - UPTIME_PRECISION_MS;
			const isAnother = connection.runId !== undefined && info.runId !== undefined;
			// If this node was never ready on the earlier server, that may have been a wrong one, even if it only
			// restarted.
			if (isAnother && (coexisted || !connection.wasReady)) this.#unverified([connection]);
			else if (lostAt !== undefined && connection === publisher) handlers.replaced(wallTime(lostAt));
			connection.runId = info.runId;
			connection.verifiedAt = now;
			connection.wasReady = false;
			if (connection === publisher) {
				this.#replicas = info.replicas;
				this.#fewerSince = undefined;
			}
		}
		return info;
	}

	/**
	 * Called with what the publisher's server has said of itself in its reply to a beat. While such replies arrive, the
	 * regular checks don't ask the server.
	 *
	 * @param askedAt a time before the server looked this up, by the monotonic clock
	 */
	learned(info: LearnedInfo, askedAt: number): void {
		// The data of another server, or of an earlier run.
		if (info.runId !== this.#options.publisher.runId) return;
		this.#learned = { info, askedAt, at: performance.now() };
		// Doubts wait for the next regular check.
		if (this.#options.status.degraded === undefined && info.isReplica !== true) this.#trust(info, askedAt);
	}

	/**
	 * Implements {@link BusLiveness.verifyPrimary}. Opens a new connection, which leads to the current primary, and
	 * drops existing connections that lead to another server.
	 */
	async verifyPrimary(): Promise<void> {
		const { status, source, ending } = this.#options;
		if (status.degraded !== undefined) return;
		const probe = new ServerConnection(source);
		try {
			await probe.open(PROBE_MS, ending);
			const asked = performance.now();
			const info = await serverInfo(probe.client);
			const { runId } = info;
			const misdirected = this.#connections.filter(
				(connection) => connection.isReady && runId && connection.runId && connection.runId !== runId,
			);
			if (misdirected.length === 0) {
				this.#trust(info, asked);
				return;
			}
			this.#unverified(misdirected);
			status.degrade('connected to a former primary; new connections lead to another server');
			resetAll(misdirected);
		} catch {
			// The new connection failed. If the existing connections fail as well, they report that themselves.
		} finally {
			probe.close();
		}
	}

	/**
	 * Leaves a server that is a replica. A replica would accept messages, but deliver them only to its own subscribers.
	 */
	leaveReplica(): void {
		const { status, ending } = this.#options;
		if (this.#isOnReplica || ending.aborted) return;
		this.#isOnReplica = true;
		this.#unverified(this.#connections);
		status.degrade('connected to a replica; messages published there do not reach other Redis servers');
		this.#leaving = setTimeout(() => {
			this.#isOnReplica = false;
			resetAll(this.#connections);
		}, LEAVE_REPLICA_AFTER_MS);
	}

	/** Reports that connections may have led to the wrong server since they were last verified. */
	#unverified(connections: readonly ServerConnection[]): void {
		const { publisher, subscriber, subscriptions, handlers } = this.#options;
		if (connections.includes(publisher)) handlers.undelivered(wallTime(publisher.verifiedAt));
		if (connections.includes(subscriber)) subscriptions.unverifiedSince(subscriber.verifiedAt);
	}

	/**
	 * Decides whether a server that answers counts as the primary. If its replicas are gone or silent, one of them may
	 * have become the new primary, even if Sentinels or DNS still lead to the old one. A server with fewer replicas
	 * counts as the primary only after a while.
	 */
	#trust({ replicas, lagMs }: LearnedInfo, asked: number): boolean {
		if (lagMs > TRUSTED_LAG_MS) return false;
		if (replicas < this.#replicas) {
			this.#fewerSince ??= asked;
			if (asked - this.#fewerSince < FEWER_REPLICAS_MS) return false;
		}
		this.#fewerSince = undefined;
		this.#replicas = replicas;
		this.#verified(asked - lagMs);
		return true;
	}

	/**
	 * Records that the publisher's server was the primary at this time. If the subscriber is connected to the same
	 * server, records that for the subscriber as well.
	 */
	#verified(at: number): void {
		const { publisher, subscriber } = this.#options;
		publisher.verifiedAt = Math.max(publisher.verifiedAt, at);
		if (subscriber.runId !== publisher.runId) return;
		subscriber.verifiedAt = Math.max(subscriber.verifiedAt, at);
	}

	async #check(): Promise<void> {
		const { publisher, status } = this.#options;
		if (!publisher.isReady || status.degraded !== undefined) return;
		const now = performance.now();
		const learned = this.#learned;
		if (learned !== undefined && now - learned.at < LEARNED_MS && learned.info.runId === publisher.runId) {
			await this.#judge(learned.info, learned.askedAt);
			return;
		}
		try {
			const info = await serverInfo(publisher.client);
			if (status.degraded === undefined) await this.#judge(info, now);
		} catch {
			// The connection failed, and reports that itself.
		}
	}

	async #judge(info: LearnedInfo, askedAt: number): Promise<void> {
		if (info.isReplica === true) this.leaveReplica();
		else if (!this.#trust(info, askedAt)) await this.verifyPrimary();
	}
}

function resetAll(connections: readonly ServerConnection[]): void {
	for (const connection of connections) if (connection.isReady) connection.reset();
}
