import { Listeners } from './support/listeners.ts';
import { toError } from './support/promises.ts';

/**
 * The stage at which a reported error occurred.
 *
 * - `auth`: `auth()` failed, or the client could not renew its credentials; it tries again. The same error is not
 *   reported twice in a row, and of renewals, only the first failure in a row
 * - `connect`: no connection becomes ready; the client tries again. Reported once per outage and cause, after the
 *   third failed attempt at the latest
 * - `send`: a message was not sent, was refused, or may not have arrived
 * - `subscribe`: `subscribe()` had invalid arguments or the client was closed; or resubscribing to a topic, or reading
 *   the messages of a `rewind`, failed
 * - `presence`: `presence()` had invalid arguments or the client was closed; or the server refuses a topic's members,
 *   or no longer accepts the client's own info; or info does not match the `schema`
 * - `storage`: the storage of `options.positions` failed, or holds an invalid position; only the first time
 * - `handler`: a listener or handler of the application threw
 */
export type ErrorStage = 'auth' | 'connect' | 'send' | 'subscribe' | 'presence' | 'storage' | 'handler';

export type ErrorListener = (error: Error, stage: ErrorStage) => unknown;

/**
 * Passes errors to the application's error listeners. Without a listener, prints them to the console, unless they are
 * handled where they occur.
 */
export class Failures {
	readonly #listeners = new Listeners<[Error, ErrorStage]>((thrown) => print(thrown, 'handler'));

	/** Adds a listener. Returns a function that removes it. @throws {TypeError} `listener` is not a function */
	on(listener: ErrorListener): () => void {
		return this.#listeners.add(listener);
	}

	/**
	 * Passes an error to all listeners. Never throws.
	 *
	 * @param isHandled whether the application receives it elsewhere as well, so that it need not be printed
	 */
	report(thrown: unknown, stage: ErrorStage, isHandled?: boolean): void {
		const error = toError(thrown);
		if (!this.#listeners.size && !isHandled) print(error, stage);
		this.#listeners.call(error, stage);
	}

	/** Creates an empty set of application listeners, whose errors are reported with the stage `handler`. */
	listeners<TArgs extends readonly unknown[]>(): Listeners<TArgs> {
		return new Listeners(this.thrown);
	}

	/** Called with what a listener or handler of the application has thrown. */
	readonly thrown = (error: unknown): void => this.report(error, 'handler');
}

function print(error: unknown, stage: ErrorStage): void {
	console.error(`SocketClient (${stage}):`, error);
}
