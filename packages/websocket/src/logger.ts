/** Structured details of a log line. An error is logged under the key `err`. */
export type LogDetails = Readonly<Record<string, unknown>>;

/**
 * The destination of log lines. `console` is a valid logger. If a method throws, or returns a promise that rejects, the
 * line is reported on the console instead.
 */
export interface Logger {
	debug(message: string, details?: LogDetails): unknown;
	info(message: string, details?: LogDetails): unknown;
	warn(message: string, details?: LogDetails): unknown;
	error(message: string, details?: LogDetails): unknown;
}
