import type { LogDetails, Logger } from '@orijs/websocket';

/** The log line of each kind of refusal. */
const LOG_TEXT = {
	stopping: 'Upgrades rejected: the server is stopping (503)',
	connections: 'Upgrades rejected: limits.connections reached (503)',
	connectionsPerAddress:
		'Upgrades rejected: limits.connectionsPerAddress reached (429). If the address is a proxy, add it to trustedProxies',
	origin: 'Upgrades rejected: the page is from another origin (403)',
	handshake: 'Upgrades rejected: invalid WebSocket handshake (400)',
	upgrade: 'Upgrades rejected by upgrade()',
	upgradeTimeout: 'Upgrades rejected: upgrade() timed out (503)',
	guard: 'Connections rejected by a guard (4401)',
	guardTimeout: 'Connections closed: the first message or the guards took too long (4408)',
	message: 'Messages refused: not valid according to the protocol (invalid_message)',
	unknownType: 'Messages refused: no handler for their type (unknown_type)',
	data: 'Messages refused: data does not match the schema (invalid_data)',
	forbidden: 'Messages refused by a guard or by authorize (forbidden)',
	rate: 'Messages refused: sent too fast (rate_limited)',
	flood: 'Connections closed: the client kept sending too fast (4429)',
	topics: 'Subscriptions refused: limits.topicsPerSocket reached (too_many_topics)',
	requests: 'Requests refused: limits.pendingRequests reached (too_many_requests)',
	handlerTimeout: 'Handlers exceeded limits.handlerTimeoutMs; no longer awaited (timeout)',
	messageSize: 'Connections closed: a message exceeded limits.messageBytes (1009)',
	frame: 'Connections closed: WebSocket protocol violated (1002, 1007)',
	idle: 'Connections closed: silent for limits.idleTimeoutMs',
	abandoned: 'Messages dropped: too many clients left before their messages were handled',
	slowReader: 'Clients read too slowly: connections closed (1013), or messages dropped (slowReaders: drop)',
	binary: 'Connections closed: received a binary message, but there is no message handler (1003)',
} as const;

/** The reason why an upgrade, connection or message was refused, or why a handler was no longer awaited. */
export type Refusal = keyof typeof LOG_TEXT;

/** The number of refusals of each kind since the application was created. */
export type RefusalCounts = Readonly<Record<Refusal, number>>;

/** The shortest interval between log lines of one kind, in milliseconds: a flood of clients must not flood the log. */
const LOG_INTERVAL_MS = 1_000;

interface Tally {
	total: number;
	/** How many of the total have been logged. */
	logged: number;
	timer: ReturnType<typeof setTimeout> | undefined;
}

/** Counts refusals and logs them: the first of a kind immediately, further ones combined in one line per second. */
export class Refusals {
	readonly #logger: Logger;
	readonly #tallies = new Map<Refusal, Tally>();

	constructor(logger: Logger) {
		this.#logger = logger;
	}

	get counts(): RefusalCounts {
		const counts = Object.fromEntries(Object.keys(LOG_TEXT).map((kind) => [kind, 0])) as Record<Refusal, number>;
		for (const [kind, { total }] of this.#tallies) counts[kind] = total;
		return counts;
	}

	/** Counts a refusal that is logged elsewhere or doesn't need to be logged. */
	count(kind: Refusal): void {
		const tally = this.#tallyOf(kind);
		tally.total++;
		tally.logged++;
	}

	/** Counts and logs a refusal. A log line that combines several refusals has no details. */
	add(kind: Refusal, details: LogDetails): void {
		const tally = this.#tallyOf(kind);
		tally.total++;
		if (tally.timer === undefined) this.#log(kind, tally, details);
	}

	#tallyOf(kind: Refusal): Tally {
		let tally = this.#tallies.get(kind);
		if (tally === undefined) {
			tally = { total: 0, logged: 0, timer: undefined };
			this.#tallies.set(kind, tally);
		}
		return tally;
	}

	#log(kind: Refusal, tally: Tally, details: LogDetails): void {
		tally.timer = undefined;
		const count = tally.total - tally.logged;
		if (count === 0) return;
		tally.logged = tally.total;
		this.#logger.warn(LOG_TEXT[kind], { count, ...details });
		tally.timer = setTimeout(() => this.#log(kind, tally, {}), LOG_INTERVAL_MS);
		// The timer must not keep the process of a stopped application alive.
		tally.timer.unref();
	}
}
