import type { WebSocketConnection } from '../sockets/websocket-connection.ts';
import type { Action, Change } from './ask.ts';

interface Entry {
	readonly action: Change;
	readonly userId: string;
	/** In milliseconds since the epoch, as `connectedAt`. */
	readonly at: number;
	/** By the monotonic clock. */
	readonly until: number;
}

/** The maximum number of actions that are kept. Above it, the oldest ones are forgotten. */
const MAX_KEPT = 100_000;

/**
 * Keeps actions on users for as long as guards may take, and does them on sockets whose connection has begun before the
 * action, but which are added after it.
 */
export class LateSockets {
	readonly #act: (action: Change, socket: WebSocketConnection) => void;
	/** How long guards may take, in milliseconds; undefined: unknown. */
	#guardTimeoutMs: number | undefined;
	/** In the order in which they came. */
	readonly #entries = new Set<Entry>();
	readonly #byUser = new Map<string, Entry[]>();
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(act: (action: Change, socket: WebSocketConnection) => void) {
		this.#act = act;
	}

	/** Of several times, the longest counts. */
	setGuardTimeout(ms: number): void {
		this.#guardTimeoutMs = Math.max(this.#guardTimeoutMs ?? 0, ms);
	}

	keep(action: Action): void {
		if (action.do !== 'disconnect' && action.do !== 'subscribe' && action.do !== 'unsubscribe') return;
		const { target } = action;
		if (target === 'all' || target.userId === undefined) return;
		const { userId } = target;
		const forMs = this.#guardTimeoutMs ?? DEFAULT_GUARD_TIMEOUT_MS;
		const entry = { action, userId, at: Date.now(), until: performance.now() + forMs };
		if (this.#entries.size >= MAX_KEPT) for (const oldest of this.#entries.values().take(1)) this.#forget(oldest);
		this.#entries.add(entry);
		const ofUser = this.#byUser.get(userId);
		if (ofUser === undefined) this.#byUser.set(userId, [entry]);
		else ofUser.push(entry);
		this.#arm(forMs);
	}

	/**
	 * Called when a socket has been added. If its user was disconnected, so is the socket, at once: its server need not
	 * do anything more for it. Anything else that was kept for it is done at the end of the current synchronous code, in
	 * which its server may still subscribe it to what its guards have decided.
	 */
	added(socket: WebSocketConnection): void {
		if (this.#entries.size === 0) return;
		const { userId, connectedAt = 0, socketId } = socket.data;
		const ofUser = userId === undefined ? undefined : this.#byUser.get(userId);
		if (ofUser === undefined) return;
		const now = performance.now();
		// If it seems to lie ahead, the clock has been set back since: it was before all that has come.
		const begunAt = connectedAt > Date.now() ? 0 : connectedAt;
		const due = ofUser.filter(
			({ action, at, until }) => begunAt <= at && now <= until && !action.except.includes(socketId),
		);
		const last = due.find(({ action }) => action.do === 'disconnect');
		if (last !== undefined) this.#act(last.action, socket);
		else if (due.length > 0)
			queueMicrotask(() => {
				for (const { action } of due) this.#act(action, socket);
			});
	}

	#forget(entry: Entry): void {
		this.#entries.delete(entry);
		const ofUser = this.#byUser.get(entry.userId);
		// Each user's entries are in the same order.
		ofUser?.shift();
		if (ofUser?.length === 0) this.#byUser.delete(entry.userId);
	}

	#arm(delayMs: number): void {
		if (this.#timer !== undefined) return;
		// A timer may fire a little early.
		this.#timer = setTimeout(() => this.#expire(), delayMs + 1);
		this.#timer.unref();
	}

	#expire(): void {
		this.#timer = undefined;
		const now = performance.now();
		for (const entry of this.#entries) {
			if (entry.until >= now) return this.#arm(entry.until - now);
			this.#forget(entry);
		}
	}
}

const DEFAULT_GUARD_TIMEOUT_MS = 10_000;
