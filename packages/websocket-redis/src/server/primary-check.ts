import type { BusHandlers } from '@orijs/websocket';
import type { Redis } from 'ioredis';
import { connect } from './client-options.ts';
import { ServerConnection } from './server-connection.ts';
import { type ServerInfo, serverInfo } from './server-info.ts';
import type { ServerStatus } from './server-status.ts';
import type { Subscriptions } from './subscriptions.ts';

export interface PrimaryCheckOptions {
	readonly publisher: ServerConnection;
	readonly subscriber: ServerConnection;
	readonly subscriptions: Subscriptions;
	readonly status: ServerStatus;
	/** Makes a client for the server, not connected yet. */
	readonly createClient: () => Redis;
	readonly handlers: Pick<BusHandlers, 'undelivered'>;
	/** Aborted when the server is closed. */
	readonly ending: AbortSignal;
}

/** How often the server is asked whether it is still the primary, in milliseconds. */
const CHECK_MS = 1_000;
/**
 * Replicas report to their primary every second. One that has been silent for longer than this (in milliseconds) may
 * have left.
 */
const TRUSTED_LAG_MS = 2_000;
/** How long a server with fewer replicas than before is not trusted, in milliseconds. */
const FEWER_REPLICAS_MS = 30_000;
/** A server reports its uptime in whole seconds. */
const UPTIME_PRECISION_MS = 1_500;
/** How long connections to a replica are kept before they are made again, in milliseconds. */
const LEAVE_REPLICA_AFTER_MS = 500;
/** How long a probe may take, in milliseconds. */
const PROBE_MS = 2_000;

/** Finds out whether a server's connections lead to the current primary, and drops those that do not. */
export class PrimaryCheck {
	readonly #options: PrimaryCheckOptions;
	readonly #connections: readonly ServerConnection[];
	#isOnReplica = false;
	#timer: ReturnType<typeof setInterval> | undefined;
	#leaving: ReturnType<typeof setTimeout> | undefined;
	/** How many replicas the server has. */
	#replicas = 0;
	/** Since when it has fewer, in milliseconds since the epoch. */
	#fewerSince: number | undefined;

	constructor(options: PrimaryCheckOptions) {
		this.#options = options;
		this.#connections = [options.publisher, options.subscriber];
	}

	/** Connected to a replica, until the connections are dropped for another try. */
	get isOnReplica(): boolean {
		return this.#isOnReplica;
	}

	/** Checks the server regularly. */
	start(): void {
		this.#timer = setInterval(() => void this.#check(), CHECK_MS);
	}

	stop(): void {
		clearInterval(this.#timer);
		clearTimeout(this.#leaving);
	}

	/** Asks a new connection which server it leads to. Rejects when the connection fails. */
	async identify(connection: ServerConnection): Promise<ServerInfo> {
		const now = Date.now();
		const info = await serverInfo(connection.client);
		const isSame = connection.runId !== undefined && info.runId === connection.runId;
		if (!isSame) {
			const { publisher, subscriptions } = this.#options;
			// If this server was already running when the connection was lost, it is a different server, not the old one
			// restarted.
			const lostAt = subscriptions.lostAt ?? now;
			const coexisted = info.startedAt !== undefined && info.startedAt < lostAt - UPTIME_PRECISION_MS;
			if (connection.runId !== undefined && info.runId !== undefined && coexisted) this.#unverified([connection]);
			connection.runId = info.runId;
			connection.verifiedAt = now;
			if (connection === publisher) {
				this.#replicas = info.replicas;
				this.#fewerSince = undefined;
			}
		}
		return info;
	}

	/**
	 * As {@link BusLiveness.verifyPrimary}: a new connection leads to the current primary. Connections to another server
	 * are dropped.
	 */
	async verifyPrimary(): Promise<void> {
		const { status, createClient, ending } = this.#options;
		if (status.degraded !== undefined) return;
		const probe = new ServerConnection(createClient());
		try {
			await connect(probe.client, PROBE_MS, ending);
			const asked = Date.now();
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
			// The probe failed; if the connections fail as well, they report it.
		} finally {
			probe.close();
		}
	}

	/** A replica accepts what is published to it and delivers it to its own subscribers only. */
	leaveReplica(): void {
		const { status, ending } = this.#options;
		if (this.#isOnReplica || ending.aborted) return;
		this.#isOnReplica = true;
		this.#unverified(this.#connections);
		status.degrade('connected to a replica; what is published there does not reach other Redis servers');
		this.#leaving = setTimeout(() => {
			this.#isOnReplica = false;
			resetAll(this.#connections);
		}, LEAVE_REPLICA_AFTER_MS);
	}

	/** Connections may have led to the wrong server since they were last verified: messages may be lost. */
	#unverified(connections: readonly ServerConnection[]): void {
		const { publisher, subscriber, subscriptions, handlers } = this.#options;
		if (connections.includes(publisher)) handlers.undelivered(publisher.verifiedAt);
		if (connections.includes(subscriber)) subscriptions.unverifiedSince(subscriber.verifiedAt);
	}

	/**
	 * Whether a server that answers counts as the primary. One whose replicas are gone or silent may have been replaced
	 * by a new primary, even where Sentinels or DNS still lead to it; only after a while does it count as a primary with
	 * fewer replicas.
	 */
	#trust({ replicas, lagMs }: ServerInfo, asked: number): boolean {
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

	/** The publisher's server was the primary at that time, and so was the subscriber's if it is the same one. */
	#verified(at: number): void {
		const { publisher, subscriber } = this.#options;
		publisher.verifiedAt = Math.max(publisher.verifiedAt, at);
		if (subscriber.runId !== publisher.runId) return;
		subscriber.verifiedAt = Math.max(subscriber.verifiedAt, at);
	}

	async #check(): Promise<void> {
		const { publisher, status } = this.#options;
		if (!publisher.isReady || status.degraded !== undefined) return;
		const asked = Date.now();
		try {
			const info = await serverInfo(publisher.client);
			if (status.degraded !== undefined) return;
			if (info.isReplica === true) this.leaveReplica();
			else if (!this.#trust(info, asked)) await this.verifyPrimary();
		} catch {
			// The connection failed, which it reports.
		}
	}
}

function resetAll(connections: readonly ServerConnection[]): void {
	for (const connection of connections) if (connection.isReady) connection.reset();
}
