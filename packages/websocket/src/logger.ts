/** Structured facts that go with a log line. An error, where there is one, is under `err`. */
export type LogDetails = Readonly<Record<string, unknown>>;

/** Where log lines go. `console` satisfies it as it is. */
export interface Logger {
	debug(message: string, details?: LogDetails): void;
	info(message: string, details?: LogDetails): void;
	warn(message: string, details?: LogDetails): void;
	error(message: string, details?: LogDetails): void;
}

/** The default logger: the console, quiet at debug. */
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
