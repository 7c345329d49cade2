import type { LogDetails, Logger } from '@orijs/websocket';
import { type LogKind, type LogThrottle, throttleOf } from '@orijs/websocket/internal';

/** The log line of each kind of refusal. */
const LOG_TEXT = {
	notStarted: 'Upgrades rejected: the endpoint has not started (503)',
	stopping: 'Upgrades rejected: the server is stopping (503)',
	miswired: 'Upgrades rejected: the server has other websocket handlers than endpoint.websocket (500)',
	connections: 'Upgrades rejected: limits.connections reached (503)',
	connectionsPerAddress:
		'Upgrades rejected: limits.connectionsPerAddress reached (429). If the address is a proxy, add it to trustedProxies',
	origin: 'Upgrades rejected: the page is from another origin (403)',
	handshake: 'Upgrades rejected: invalid WebSocket handshake (400)',
	upgrade: 'Upgrades rejected by upgrade()',
	upgradeTimeout: 'Upgrades rejected: upgrade() timed out (503)',
	guard: 'Connections rejected by a guard (4401)',
	expired: 'Connections closed: their credentials expired and were not renewed in time (4401)',
	guardTimeout: 'Connections closed: the first message or the guards took too long (4408)',
	message: 'Messages refused: not valid according to the protocol (invalid_message)',
	plain:
		'Messages ignored: from plain WebSockets, but there is no message handler. Typed messages need the subprotocol orijs.1',
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

const KIND_NAMES = Object.keys(LOG_TEXT) as readonly Refusal[];

/** The number of refusals of each kind since the application or the endpoint was created. */
export type RefusalCounts = Readonly<Record<Refusal, number>>;

/** Counts refusals, and logs them through the throttle of the logger. */
export class Refusals {
	readonly #throttle: LogThrottle;
	readonly #counts = noRefusals();

	constructor(logger: Logger) {
		this.#throttle = throttleOf(logger);
	}

	get counts(): RefusalCounts {
		return { ...this.#counts };
	}

	/** Counts a refusal that is logged elsewhere or doesn't need to be logged. */
	count(kind: Refusal): void {
		this.#counts[kind]++;
	}

	/** Counts and logs a refusal. A log line that combines several refusals has only their number as details. */
	add(kind: Refusal, details: LogDetails): void {
		this.#counts[kind]++;
		this.#throttle.add('warn', kindOf(kind, details), LOG_TEXT[kind], { count: 1, ...details });
	}
}

/** Returns the number of refusals of each kind at several endpoints together. */
export function totalRefusals(all: readonly Refusals[]): RefusalCounts {
	const total = noRefusals();
	for (const { counts } of all) for (const kind of KIND_NAMES) total[kind] += counts[kind];
	return total;
}

function noRefusals(): Record<Refusal, number> {
	return Object.fromEntries(KIND_NAMES.map((kind) => [kind, 0])) as Record<Refusal, number>;
}

/**
 * Returns the kind in the log. Each type of message has its own kind for handlers that take too long, so that one slow
 * handler does not hide another. Only the application can define these types.
 */
function kindOf(kind: Refusal, { type }: LogDetails): LogKind {
	if (kind !== 'handlerTimeout' || typeof type !== 'string') return KINDS[kind];
	return { key: `refusal ${kind} ${type}`, summary: LOG_TEXT[kind], details: { type } };
}

const KINDS = Object.fromEntries(
	Object.entries(LOG_TEXT).map(([kind, summary]) => [kind, { key: `refusal ${kind}`, summary }]),
) as Record<Refusal, LogKind>;
