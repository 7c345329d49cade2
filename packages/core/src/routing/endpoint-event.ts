import type { Logger } from '@orijs/websocket';
import { Listeners, show } from '@orijs/websocket/internal';
import type { ErrorCode } from '@orijs/websocket/protocol';
import type { AppSocket } from '../app-socket.ts';
import { ApplicationError } from '../errors.ts';
import { FaultLog } from '../support/fault-log.ts';

/**
 * A message that a client has sent and what became of it: for logs, metrics and audits. A `@subscribe` or
 * `@unsubscribe` is one event for each of its topics. Heartbeats (`@ping`), `@auth` and replies to the server's
 * requests are reported only if they are refused; whatever goes to the `message` handler of `onWebSocket` is not
 * reported.
 */
export interface EndpointEvent {
	readonly socketId: string;
	/** The socket that sent the message; it may have closed. */
	readonly ws: AppSocket;
	/** The connection's state, as set by its guards (`ctx.state` in handlers); annotate it with its type. */
	readonly state: any;
	/**
	 * The message's name, or a type of the protocol, such as `@subscribe`; empty if it could not be read. Unless
	 * `isKnown` is true, the client chose it: up to 129 characters, not to be used as the label of a metric.
	 */
	readonly type: string;
	/** Whether a router has a handler for the type, or it is one of the protocol. */
	readonly isKnown: boolean;
	/** Identifies the request; undefined if the message is not one. */
	readonly correlationId: string | undefined;
	/** The topic of a `@subscribe`, `@unsubscribe` or `@history`, otherwise undefined. */
	readonly topic: string | undefined;
	/**
	 * - `handled`: the handler has returned, and a request was answered
	 * - `refused`: by a limit, a schema, a guard, `authorize` or a `SocketError`; `code` says why
	 * - `failed`: the server is at fault, or the client left too early: `code` is `internal`, `unavailable`, `timeout`
	 *   or `disconnected`
	 */
	readonly outcome: 'handled' | 'refused' | 'failed';
	/** The code sent to the client, or `disconnected`; undefined if the message was handled. */
	readonly code: ErrorCode | undefined;
	/** What the handler, a guard or middleware threw, if the message failed for that reason. It is logged already. */
	readonly error: unknown;
	/**
	 * The time from the message's turn to its answer, in milliseconds: the time in which it waited for earlier messages
	 * of its connection is not part of it. 0 for a message that was refused before its turn.
	 */
	readonly durationMs: number;
}

/**
 * Called with each event once its message is answered. Its result is ignored; the type is left open, so that a listener
 * can use `app` in the chain that creates it. If it throws or rejects, the error is logged.
 */
export type EndpointEventListener = (event: EndpointEvent) => any;

/** Calls the listeners of an application or endpoint. */
export class EventListeners {
	readonly #listeners: Listeners<EndpointEvent>;

	constructor(logger: Logger) {
		const faults = new FaultLog(logger);
		this.#listeners = new Listeners((err, { socketId, type }) =>
			faults.failed({ what: 'A listener of onEvent failed', err }, { socketId, type }),
		);
	}

	/** @throws {ApplicationError} the listener is not a function */
	add(listener: EndpointEventListener): void {
		if (typeof listener !== 'function')
			throw new ApplicationError(`onEvent(): listener must be a function, not ${show(listener)}`);
		this.#listeners.add(listener);
	}

	/** Never throws. */
	call(event: EndpointEvent): void {
		this.#listeners.call(event);
	}
}
