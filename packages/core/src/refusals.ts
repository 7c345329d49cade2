import type { LogDetails, Logger } from '@orijs/websocket';

/** What was refused, and what is said of it in the log. */
const SAID = {
	stopping: 'Upgrades were refused because the server is stopping (503)',
	connections: 'Upgrades were refused: limits.connections is reached (503)',
	connectionsPerAddress:
		'Upgrades were refused: limits.connectionsPerAddress is reached (429). Where that address is a proxy, name it in trustedProxies',
	origin: 'Upgrades from pages of another origin were refused (403); allowedOrigins says which may connect',
	handshake: 'Upgrades were refused: no valid WebSocket handshake (400)',
	upgrade: 'Upgrades were refused by upgrade()',
	upgradeTimeout: 'Upgrades were refused: upgrade() took too long (503)',
	guard: 'Connections were refused by a guard (4401)',
	guardTimeout: 'Connections were ended: their first message, or the guards, took too long (4408)',
	message: 'Messages were refused: not what the protocol allows (invalid_message)',
	unknownType: 'Messages were refused: nothing handles their type (unknown_type)',
	data: 'Messages were refused: their data does not fit the schema (invalid_data)',
	forbidden: 'Messages were refused by a guard or by authorize (forbidden)',
	rate: 'Messages were refused: they came too fast (rate_limited)',
	flood: 'Connections were ended: they went on sending too fast (4429)',
	topics: 'Subscriptions were refused: limits.topicsPerSocket is reached (too_many_topics)',
	requests: 'Requests were refused: limits.pendingRequests is reached (too_many_requests)',
	handlerTimeout: 'Handlers took longer than limits.handlerTimeoutMs and were given up (timeout)',
	messageSize: 'Connections were ended: a message was larger than limits.messageBytes (1009)',
	frame: 'Connections were ended: they broke the WebSocket protocol (1002, 1007)',
	idle: 'Connections were ended: they were silent for limits.idleTimeoutMs',
	slowReader: 'Clients read too slowly (1013, or, with slowReaders: drop, a gap notice)',
	binary: 'Connections were ended: a binary message, which nothing here takes (1003)',
} as const;

/** What a bound was put to. */
export type Refusal = keyof typeof SAID;

/** How often a kind of refusal was made, since the application listens. */
export type RefusalCounts = Readonly<Record<Refusal, number>>;

/** How often one kind of refusal is logged at most, in milliseconds: whoever is flooded must not be flooded by the log as well. */
const LOG_EVERY_MS = 1_000;

interface Tally {
	total: number;
	/** How many of them the log knows of. */
	logged: number;
	timer: ReturnType<typeof setTimeout> | undefined;
}

/** Counts what was refused, and says it in the log: the first of a kind at once, what follows together. */
export class Refusals {
	readonly #logger: Logger;
	readonly #tallies = new Map<Refusal, Tally>();

	constructor(logger: Logger) {
		this.#logger = logger;
	}

	get counts(): RefusalCounts {
		const counts = Object.fromEntries(Object.keys(SAID).map((kind) => [kind, 0])) as Record<Refusal, number>;
		for (const [kind, { total }] of this.#tallies) counts[kind] = total;
		return counts;
	}

	/** Counts what the log knows of already, or need not know of. */
	count(kind: Refusal): void {
		const tally = this.#tallyOf(kind);
		tally.total++;
		tally.logged++;
	}

	/** @param details of the one at hand; with several in one line, of the last */
	add(kind: Refusal, details: LogDetails): void {
		const tally = this.#tallyOf(kind);
		tally.total++;
		if (tally.timer === undefined) this.#tell(kind, tally, details);
	}

	#tallyOf(kind: Refusal): Tally {
		let tally = this.#tallies.get(kind);
		if (tally === undefined) {
			tally = { total: 0, logged: 0, timer: undefined };
			this.#tallies.set(kind, tally);
		}
		return tally;
	}

	#tell(kind: Refusal, tally: Tally, details: LogDetails): void {
		tally.timer = undefined;
		const count = tally.total - tally.logged;
		if (count === 0) return;
		tally.logged = tally.total;
		this.#logger.warn(SAID[kind], { count, ...details });
		tally.timer = setTimeout(() => this.#tell(kind, tally, {}), LOG_EVERY_MS);
		// It must not keep a stopped application's process alive.
		tally.timer.unref();
	}
}
