import type { LogDetails, Logger } from './logger.ts';
import { formatLine } from './support/log-line.ts';

/**
 * The default logger: the console, without debug lines. Each entry is a single line of at most 4 KiB. Characters that
 * could start another line, hide text or control a terminal are escaped.
 */
export const consoleLogger: Logger = {
	debug() {},
	info: (message, details) => console.info(formatLine(message, details)),
	warn: (message, details) => console.warn(formatLine(message, details)),
	error: (message, details) => console.error(formatLine(message, details)),
};

/** Used for `console` itself: like {@link consoleLogger}, with debug lines. */
export const verboseConsoleLogger: Logger = {
	...consoleLogger,
	debug: (message: string, details?: LogDetails) => console.debug(formatLine(message, details)),
};
