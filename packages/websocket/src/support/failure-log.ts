import type { BusStage } from '../bus.ts';
import { UnknownSocketError } from '../errors.ts';
import type { LogDetails, Logger } from '../logger.ts';
import { SocketRequestError } from '../protocol/errors.ts';
import { type CallLog, CallPromise } from './call-promise.ts';
import { errorName } from './error-name.ts';
import { type LogThrottle, throttleOf } from './log-throttle.ts';
import { isLogged, markLogged } from './logged-errors.ts';
import { toError } from './promises.ts';

/** Where something failed in the background: a stage of the transport, or a listener of the application. */
export type FailureStage =
	| BusStage
	| 'onLease'
	| 'onNodesChange'
	| 'onGap'
	| 'onStatus'
	| 'onNodeMessage'
	| 'onSlowReader'
	| 'onReauthorize'
	| 'cluster.on'
	| 'presence.onChange';

/**
 * The one place that logs failures. Background failures are always logged. A call that fails rejects, and is logged
 * only if its promise is not awaited, so that nothing is logged twice.
 */
export class FailureLog implements CallLog {
	readonly #throttle: LogThrottle;
	readonly #hasLeft: (socketId: string) => boolean;

	/**
	 * @param hasLeft returns whether a socket was connected recently; a call for a socket that has left is not a fault,
	 * and is logged at debug
	 */
	constructor(logger: Logger, hasLeft: (socketId: string) => boolean = () => false) {
		this.#throttle = throttleOf(logger);
		this.#hasLeft = hasLeft;
	}

	/** Logs an operation that failed in the background, or a listener that threw or rejected. Never throws. */
	report(thrown: unknown, stage: FailureStage, details?: LogDetails): void {
		const error = toError(thrown);
		const name = errorName(error);
		markLogged(error);
		const kind = {
			key: `failure ${stage} ${name}`,
			summary: `WebSocket failures (${stage}): ${name}`,
			details: { stage },
		};
		this.#throttle.add('error', kind, `WebSocket failure (${stage}): ${messageOf(error)}`, {
			stage,
			...details,
			err: error,
		});
	}

	/** Rejects a call. */
	refuse(error: Error): Promise<never> {
		return CallPromise.rejected(error, this);
	}

	/** Returns the promise of a call that may fail later. */
	watch<T>(promise: Promise<T>): Promise<T> {
		return CallPromise.of(promise, this);
	}

	/**
	 * Takes over the promise of a call that was passed on to another object: if it is not awaited, its failure is logged
	 * here.
	 */
	takeOver<T>(promise: Promise<T>): Promise<T> {
		return CallPromise.handOver(promise, this);
	}

	/** Writes the entries that have not been written yet, because the process may exit. */
	flush(): void {
		this.#throttle.flush();
	}

	isByLeaving(error: unknown): boolean {
		const gone = error instanceof SocketRequestError ? error.cause : error;
		return gone instanceof UnknownSocketError && this.#hasLeft(gone.socketId);
	}

	/** Logs a failed call whose promise was not awaited, unless the error is already in the log. */
	ignored(thrown: unknown, isByLeaving: boolean): void {
		if (isLogged(thrown)) return;
		const error = toError(thrown);
		const name = errorName(error);
		markLogged(thrown);
		const level = isByLeaving ? 'debug' : 'warn';
		const kind = {
			key: `call ${level} ${name}`,
			summary: `Calls failed, and their promises were not awaited: ${name}`,
		};
		this.#throttle.add(level, kind, messageOf(error), { err: error });
	}
}

function messageOf(error: Error): string {
	try {
		const message: unknown = error.message;
		return String(message);
	} catch {
		// A getter can throw.
		return 'an error whose message cannot be read';
	}
}
