import { BusUnavailableError, type LogDetails, type Logger, SubscribeError } from '@orijs/websocket';
import { errorName, isLogged, type LogThrottle, throttleOf } from '@orijs/websocket/internal';

/** Where the application's own code failed. */
export interface Fault {
	/** What failed, such as `A message handler failed`: the message of the log line. */
	readonly what: string;
	/** The type of the message whose handler failed; only types that the application has defined. */
	readonly type?: string | undefined;
	readonly err: unknown;
}

/**
 * Logs failures of the application's own code that clients can cause: of handlers, guards, `authorize`, `upgrade` and
 * routes. Failures of the same code with an error of the same name are combined.
 */
export class FaultLog {
	readonly #throttle: LogThrottle;

	constructor(logger: Logger) {
		this.#throttle = throttleOf(logger);
	}

	/** Logs a failure, unless the provider has already logged its error. Never throws. */
	failed({ what, type, err }: Fault, details: LogDetails): void {
		this.#add(isProviders(err) ? 'debug' : 'error', { what, type, err }, { ...details, err });
	}

	/** Logs at `debug` that code was cut short because its own client has left, which is not a fault. */
	cutShort({ what, type, err }: Fault, details: LogDetails): void {
		this.#add('debug', { what, type, err }, { ...details, err });
	}

	/** Logs a wrong result. @param summary the line that combines such results */
	wrong(message: string, summary: string, details: LogDetails): void {
		this.#throttle.add('error', { key: `wrong ${summary}`, summary }, message, details);
	}

	#add(level: 'debug' | 'error', { what, type, err }: Fault, details: LogDetails): void {
		const error = errorName(err);
		const kind = { key: `fault ${level} ${what} ${type} ${error}`, summary: what, details: { type, error } };
		this.#throttle.add(level, kind, what, details);
	}
}

/** Whether the provider logs a failure itself: the backend failed, not the application. */
function isProviders(err: unknown): boolean {
	try {
		return isLogged(err) || err instanceof BusUnavailableError || err instanceof SubscribeError;
	} catch {
		// Anything can be thrown, including values that throw when inspected.
		return false;
	}
}
