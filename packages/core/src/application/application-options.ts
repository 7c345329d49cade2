import { consoleLogger, type Logger, safely } from '@orijs/websocket';
import { show } from '@orijs/websocket/internal';
import { ApplicationError } from '../errors.ts';
import { MAX_DELAY_MS } from '../limits.ts';

export interface ApplicationOptions {
	/** Receives all log lines. Default: the console, without debug lines. */
	readonly logger?: Logger;
	/**
	 * Whether SIGTERM and SIGINT stop the application while it listens. The process then exits: with 0, or with 1 if
	 * stopping failed or a second signal arrived. If the program has its own listener for the signal, exiting is left to
	 * the program. Default true.
	 */
	readonly signals?: boolean;
	/**
	 * How long `stop` waits for connections, handlers and requests, in milliseconds. Also applies when a signal stops
	 * the application. Default 10,000.
	 */
	readonly graceMs?: number;
}

export interface StopOptions {
	/**
	 * How long to wait for connections, handlers and requests, in milliseconds. Default: the application's `graceMs`.
	 */
	readonly graceMs?: number;
}

const DEFAULT_GRACE_MS = 10_000;

/**
 * Validates the options and fills in defaults.
 *
 * @throws {ApplicationError} an option is unknown or invalid
 */
export function readApplicationOptions(options: ApplicationOptions): Required<ApplicationOptions> {
	const { logger = consoleLogger, signals = true, graceMs = DEFAULT_GRACE_MS, ...rest } = options;
	const [unknown] = Object.keys(rest);
	if (unknown !== undefined)
		throw new ApplicationError(`there is no option ${unknown}; options are logger, signals, graceMs`);
	if (typeof signals !== 'boolean') throw new ApplicationError(`signals must be true or false, not ${show(signals)}`);
	const fault = graceFault(graceMs);
	if (fault !== undefined) throw new ApplicationError(fault);
	return { logger: safeLogger(logger), signals, graceMs };
}

function safeLogger(logger: Logger): Logger {
	try {
		return safely(logger);
	} catch (error) {
		throw new ApplicationError((error as Error).message);
	}
}

/** Returns why `graceMs` is invalid; undefined if it is valid. */
export function graceFault(graceMs: unknown): string | undefined {
	if (typeof graceMs === 'number' && graceMs >= 0 && graceMs <= MAX_DELAY_MS) return undefined;
	return `graceMs must be a number of milliseconds from 0 to ${MAX_DELAY_MS}, not ${show(graceMs)}`;
}
