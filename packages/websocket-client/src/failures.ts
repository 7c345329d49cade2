import { toError } from './errors.ts';
import { mustBeFunction } from './must-be-function.ts';

/**
 * Where something failed that nobody awaits.
 *
 * - `auth`: `auth()` threw; the client tries again
 * - `connect`: a connection could not be made, for a reason that is no matter of the network
 * - `protocol`: the server said something that makes no sense
 * - `send`: a message was not sent, was refused, or may not have arrived
 * - `subscribe`: a topic could not be joined or left again
 * - `handler`: a listener or handler of the application threw
 */
export type ErrorStage = 'auth' | 'connect' | 'protocol' | 'send' | 'subscribe' | 'handler';

export type ErrorListener = (error: Error, stage: ErrorStage) => unknown;

/** The one place for what fails in the background. With nobody to listen it goes to the console. */
export class Failures {
	readonly #listeners = new Set<{ readonly listener: ErrorListener }>();

	/** @throws {TypeError} it is no function */
	on(listener: ErrorListener): () => void {
		mustBeFunction(listener, 'a listener');
		const entry = { listener };
		this.#listeners.add(entry);
		return () => void this.#listeners.delete(entry);
	}

	/** Never throws. */
	report(thrown: unknown, stage: ErrorStage): void {
		const error = toError(thrown);
		if (this.#listeners.size === 0) console.error(`SocketClient (${stage}):`, error);
		const listeners = [...this.#listeners];
		for (const { listener } of listeners) {
			try {
				const result: unknown = listener(error, stage);
				if (result instanceof Promise) result.catch(listenerFailed);
			} catch (failure) {
				listenerFailed(failure);
			}
		}
	}

	/** Calls what the application has given, which may do anything. */
	guard<TArgs extends readonly unknown[]>(fn: (...args: TArgs) => unknown, ...args: TArgs): void {
		try {
			const result = fn(...args);
			if (result instanceof Promise) result.catch((error: unknown) => this.report(error, 'handler'));
		} catch (error) {
			this.report(error, 'handler');
		}
	}
}

function listenerFailed(failure: unknown): void {
	console.error('SocketClient: an error listener failed:', failure);
}
