import type { LogDetails, Logger } from '../logger.ts';
import { cut } from '../protocol/show.ts';
import { safely } from '../safe-logger.ts';
import { escapeText } from './escape-text.ts';

/** The shortest time between two lines of one kind, in milliseconds. */
const INTERVAL_MS = 1_000;

/** The maximum number of kinds at a time. Entries of further kinds are combined into one line for each level. */
export const MAX_KINDS = 64;

/** The maximum length of a message, and of one detail that is a string, in UTF-16 units. */
const LONGEST_TEXT = 1_024;

export type LogLevel = keyof Logger;

/** What the entries of one kind have in common. */
export interface LogKind {
	/**
	 * Identifies the kind. Must contain only what the application defines (a handler, a message type, the name of an
	 * error), never anything that a client sends: clients could otherwise use up the kinds, so that other entries are
	 * combined.
	 */
	readonly key: string;
	/** The message of a line that combines entries. */
	readonly summary: string;
	/** The details of such a line, besides the `count` of its entries. */
	readonly details?: LogDetails;
}

interface Tally {
	/** The number of entries that have not been written. */
	count: number;
	readonly level: LogLevel;
	readonly kind: LogKind;
	timer: ReturnType<typeof setTimeout>;
}

const throttles = new WeakMap<Logger, LogThrottle>();

/** Returns the throttle of a logger. All users of the logger share it. @throws {InvalidOptionError} */
export function throttleOf(logger: Logger): LogThrottle {
	const safe = safely(logger);
	let throttle = throttles.get(safe);
	if (throttle === undefined) throttles.set(safe, (throttle = new LogThrottle(safe)));
	return throttle;
}

/**
 * Writes log lines that clients can cause, so that no client can fill the log: the first entry of a kind immediately,
 * further ones combined into one line per second, with their number as `count`. A line without a `count` is a single
 * entry.
 */
class LogThrottle {
	readonly #logger: Logger;
	readonly #tallies = new Map<string, Tally>();

	/** @param logger must never throw */
	constructor(logger: Logger) {
		this.#logger = logger;
	}

	/**
	 * Adds an entry.
	 *
	 * @param message the line, if the entry is written by itself
	 * @param details the details of that line
	 */
	add(level: LogLevel, kind: LogKind, message: string, details: LogDetails): void {
		const tally = this.#tallies.get(kind.key);
		if (tally !== undefined) tally.count++;
		else if (this.#tallies.size < MAX_KINDS) this.#begin(level, kind, message, details);
		else this.#addToOthers(level, message, details);
	}

	#addToOthers(level: LogLevel, message: string, details: LogDetails): void {
		const kind = OTHERS[level];
		const tally = this.#tallies.get(kind.key);
		if (tally === undefined) this.#begin(level, kind, message, details);
		else tally.count++;
	}

	#begin(level: LogLevel, kind: LogKind, message: string, details: LogDetails): void {
		// Registered first: a logger that causes another entry of this kind must not recurse.
		this.#tallies.set(kind.key, { count: 0, level, kind, timer: this.#later(kind.key) });
		this.#write(level, message, details);
	}

	#later(key: string): ReturnType<typeof setTimeout> {
		const timer = setTimeout(() => this.#combine(key), INTERVAL_MS);
		// The timer must not keep the process of a stopped application alive.
		timer.unref();
		return timer;
	}

	#combine(key: string): void {
		const tally = this.#tallies.get(key);
		if (tally === undefined) return;
		clearTimeout(tally.timer);
		const { count, level, kind } = tally;
		if (count === 0) {
			this.#tallies.delete(key);
			return;
		}
		tally.count = 0;
		tally.timer = this.#later(key);
		this.#write(level, kind.summary, { ...kind.details, count });
	}

	/** Writes all pending entries immediately. Call this before the process may exit. */
	flush(): void {
		for (const [key, { count }] of this.#tallies) if (count > 0) this.#combine(key);
	}

	#write(level: LogLevel, message: string, details: LogDetails): void {
		const shown = printableDetails(details);
		if (shown === undefined) this.#logger[level](printable(message));
		else this.#logger[level](printable(message), shown);
	}
}

export type { LogThrottle };

const OTHERS: Readonly<Record<LogLevel, LogKind>> = {
	debug: others('debug'),
	info: others('info'),
	warn: others('warn'),
	error: others('error'),
};

function others(level: LogLevel): LogKind {
	return { key: `others ${level}`, summary: `More than ${MAX_KINDS} kinds of log lines in a second; others combined` };
}

function printable(text: string): string {
	return escapeText(cut(text, LONGEST_TEXT));
}

/** Errors and other objects are left unchanged: formatting them is up to the logger. */
function printableDetails(details: LogDetails): LogDetails | undefined {
	let shown: Record<string, unknown> | undefined;
	for (const key in details) {
		shown ??= {};
		const value = details[key];
		shown[key] = typeof value === 'string' ? printable(value) : value;
	}
	return shown;
}
