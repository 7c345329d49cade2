import { verboseConsoleLogger } from './console-logger.ts';
import { InvalidOptionError } from './errors.ts';
import type { LogDetails, Logger } from './logger.ts';
import { formatLine } from './support/log-line.ts';
import { promiseOf } from './support/promise-of.ts';
import { show } from './support/show.ts';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** The safe logger of each logger, so that all users of a logger share one. */
const safeLoggers = new WeakMap<Logger, SafeLogger>();

/**
 * Wraps a logger so that it never throws: a failing logger must not make anything else fail. A line that the logger
 * fails to write, synchronously or asynchronously, goes to the console with the reason, but without its details. The
 * same logger always gets the same wrapper.
 *
 * @throws {InvalidOptionError} it is not a logger
 */
export function safely(logger: Logger): Logger {
	if (logger instanceof SafeLogger) return logger;
	mustBeLogger(logger);
	let safe = safeLoggers.get(logger);
	if (safe === undefined) {
		// Bun's console writes details on several lines, and does not escape everything that can be harmful.
		safe = new SafeLogger(logger === console ? verboseConsoleLogger : logger);
		safeLoggers.set(logger, safe);
	}
	return safe;
}

function mustBeLogger(logger: unknown): void {
	if ((typeof logger === 'object' && logger !== null) || typeof logger === 'function') {
		const missing = LEVELS.find((level) => typeof (logger as Partial<Logger>)[level] !== 'function');
		if (missing === undefined) return;
		throw new InvalidOptionError(`logger must have the methods ${LEVELS.join(', ')}; ${missing} is missing`);
	}
	throw new InvalidOptionError(`logger must be an object with the methods ${LEVELS.join(', ')}, not ${show(logger)}`);
}

class SafeLogger implements Logger {
	readonly #logger: Logger;

	constructor(logger: Logger) {
		this.#logger = logger;
	}

	debug(message: string, details?: LogDetails): void {
		this.#write('debug', message, details);
	}

	info(message: string, details?: LogDetails): void {
		this.#write('info', message, details);
	}

	warn(message: string, details?: LogDetails): void {
		this.#write('warn', message, details);
	}

	error(message: string, details?: LogDetails): void {
		this.#write('error', message, details);
	}

	#write(level: keyof Logger, message: string, details: LogDetails | undefined): void {
		try {
			const written: unknown =
				details === undefined ? this.#logger[level](message) : this.#logger[level](message, details);
			promiseOf(written)?.catch((thrown: unknown) => reportLost(level, message, thrown));
		} catch (thrown) {
			reportLost(level, message, thrown);
		}
	}
}

/** Reports a line that the logger could not write, and why. Never throws. */
function reportLost(level: keyof Logger, message: string, err: unknown): void {
	try {
		// The line's own details are left out, because they may have caused the failure.
		console.error(formatLine(`A log line could not be written: ${level}: ${message}`, { err }));
	} catch {
		// The console fails as well: there is nowhere left to report it.
	}
}
