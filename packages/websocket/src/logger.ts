/** Structured details of a log line. An error is logged under the key `err`. */
export type LogDetails = Readonly<Record<string, unknown>>;

/**
 * The destination of log lines. `console` is a valid logger. Methods that throw, or return a promise that rejects, do
 * no harm: the line is reported on the console.
 */
export interface Logger {
	debug(message: string, details?: LogDetails): unknown;
	info(message: string, details?: LogDetails): unknown;
	warn(message: string, details?: LogDetails): unknown;
	error(message: string, details?: LogDetails): unknown;
}
