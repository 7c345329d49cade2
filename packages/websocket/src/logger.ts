/** Structured details of a log line. An error has the key `err`. */
export type LogDetails = Readonly<Record<string, unknown>>;

/** The destination of log lines. `console` is a valid logger. */
export interface Logger {
	debug(message: string, details?: LogDetails): void;
	info(message: string, details?: LogDetails): void;
	warn(message: string, details?: LogDetails): void;
	error(message: string, details?: LogDetails): void;
}

/** The default logger: the console, without debug lines. */
export const consoleLogger: Logger = {
	debug() {},
	info: (message, details) => print(console.info, message, details),
	warn: (message, details) => print(console.warn, message, details),
	error: (message, details) => print(console.error, message, details),
};

function print(write: (...parts: unknown[]) => void, message: string, details: LogDetails | undefined): void {
	if (details === undefined) write(message);
	else write(message, details);
}

/**
 * Wraps a logger so that it never throws: a failing logger must not make anything else fail. A line that the logger
 * can't write goes to the console, without its details.
 */
export function safely(logger: Logger): Logger {
	return logger instanceof SafeLogger ? logger : new SafeLogger(logger);
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
			if (details === undefined) this.#logger[level](message);
			else this.#logger[level](message, details);
		} catch {
			// Without the details, which may have caused the failure.
			console.error(`A log line could not be written: ${level}: ${message}`);
		}
	}
}
