import { Stalls } from './stalls.ts';

/** During each ping interval, connections are pinged in this many groups, one after the other. */
const GROUPS = 100;

/** The part of a connection that {@link KeepAlive} uses. */
export interface KeptAlive {
	/** The tick of the client's last sign of life: a message, a ping or a pong. */
	lastSeen: number;
	/** The group that the connection is pinged with; set by {@link KeepAlive}. */
	pingGroup: number;
	/** Whether nothing is read from the socket, so that its client can't show a sign of life. */
	readonly isUnread: boolean;
	ping(): void;
}

export interface KeepAliveLimits {
	readonly pingIntervalMs: number;
	readonly idleTimeoutMs: number;
}

/**
 * Pings all clients, and finds those that have shown no sign of life for too long. Bun's own idle timer can't do that:
 * it restarts with each message that is sent, so a dead client would stay as long as its topics have traffic.
 *
 * Pings are spread over the interval. Time is counted in ticks, a hundred per interval, so that no message needs to
 * read the clock. While the process hangs, no ticks pass, so clients whose frames it could not read are not cut.
 */
export class KeepAlive<TConnection extends KeptAlive> {
	/** When the process has hung, as the ticks show. */
	readonly stalls: Stalls;
	readonly #tickMs: number;
	readonly #idleTicks: number;
	readonly #onIdle: (connection: TConnection) => void;
	readonly #groups: readonly Set<TConnection>[] = Array.from({ length: GROUPS }, () => new Set<TConnection>());
	#count = 0;
	#tick = 0;
	/** The turn of the next connection, from 0. Taking turns spreads the pings even if many clients connect at once. */
	#nextTurn = 0;
	#timer: ReturnType<typeof setInterval> | undefined;

	/** @param onIdle called when a connection has been silent for `idleTimeoutMs`; it must remove the connection */
	constructor({ pingIntervalMs, idleTimeoutMs }: KeepAliveLimits, onIdle: (connection: TConnection) => void) {
		// Timers ignore fractions of a millisecond, so ticks must be whole milliseconds.
		this.#tickMs = Math.floor(pingIntervalMs / GROUPS);
		this.stalls = new Stalls(this.#tickMs, performance.now());
		// One more, because the client was last seen during a tick, not at its start.
		this.#idleTicks = Math.ceil(idleTimeoutMs / this.#tickMs) + 1;
		this.#onIdle = onIdle;
	}

	/** The number of ticks so far. */
	get tick(): number {
		return this.#tick;
	}

	/** Adds a connection that has opened. */
	add(connection: TConnection): void {
		connection.lastSeen = this.#tick;
		// The first ping comes after half an interval or more: until then, having connected is a sign of life.
		this.#put(connection, (this.#tick + GROUPS / 2 + this.#nextTurn) % GROUPS);
		this.#nextTurn = (this.#nextTurn + 1) % (GROUPS / 2);
		this.#count++;
		if (this.#timer !== undefined) return;
		this.stalls.begin(performance.now());
		this.#timer = setInterval(() => this.#checkNextGroup(), this.#tickMs);
		// The timer must not keep the process of a stopped application alive.
		this.#timer.unref();
	}

	/** Removes a connection that has ended. */
	remove(connection: TConnection): void {
		if (this.#groups[connection.pingGroup]?.delete(connection) !== true) return;
		this.#count--;
		if (this.#count === 0) this.stop();
	}

	#put(connection: TConnection, group: number): void {
		connection.pingGroup = group;
		this.#groups[group]?.add(connection);
	}

	#checkNextGroup(): void {
		this.#tick++;
		this.stalls.ticked(performance.now());
		const group = this.#groups[this.#tick % GROUPS] as Set<TConnection>;
		for (const connection of group) this.#check(connection, group);
	}

	#check(connection: TConnection, group: Set<TConnection>): void {
		if (connection.isUnread) connection.lastSeen = this.#tick;
		const ticksLeft = connection.lastSeen + this.#idleTicks - this.#tick;
		if (ticksLeft <= 0) return this.#onIdle(connection);
		connection.ping();
		if (ticksLeft >= GROUPS) return;
		// The idle timeout ends before the group's next turn.
		group.delete(connection);
		this.#put(connection, (this.#tick + ticksLeft) % GROUPS);
	}

	stop(): void {
		clearInterval(this.#timer);
		this.#timer = undefined;
	}
}
