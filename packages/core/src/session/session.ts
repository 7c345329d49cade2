import type { SocketData } from '@orijs/websocket';
import type { AppSocket } from '../app-socket.ts';
import type { AllLimits } from '../limits.ts';
import type { Grants } from './grants.ts';
import type { Stalls } from './stalls.ts';

/** A raw WebSocket message. */
export type Frame = string | Buffer;

/**
 * - `guarding`: no messages pass in either direction until the guards have passed
 * - `open`: messages are handled
 * - `closing`: no more messages are accepted
 * - `closed`: the connection is gone; messages that arrived before that are still handled
 */
export type SessionState = 'guarding' | 'open' | 'closing' | 'closed';

/** One connection, from its upgrade to its end. */
export interface Session extends SocketData<object> {
	readonly state: SessionState;
	readonly ws: AppSocket;
	/** Whether the client speaks the protocol. Otherwise, the connection is plain. */
	readonly isSpeaker: boolean;
	/** Who the user is, as set by `upgrade` or the guards. */
	readonly userId?: string | undefined;
	/** Values set by the guards, and by handlers. */
	readonly values: object;
	/** Aborted when the connection has ended. */
	readonly signal: AbortSignal;
	/** Controls the order, rate and number of the connection's messages. */
	readonly inbound: Inbound;
	/** The topics that the client asked for and was allowed. */
	grants: Grants;
	/** The number of subscribe and unsubscribe requests of this client that are not answered yet. */
	pendingAnswers: number;
	/** When messages to a slow reader were first dropped (ms since the epoch); only with `slowReaders: 'drop'`. */
	droppingSince: number | undefined;
	/** Whether any message to the client was dropped; an answer may have been among them. */
	readonly hasDropped: boolean;
	/** Whether a handler is being awaited. */
	readonly isBusy: boolean;
	/** Whether reading is paused because too many messages are queued. */
	readonly isPaused: boolean;
	/** The watchdog's tick at which the awaited handler started. */
	readonly startedAt: number;
	/** Whether all messages that arrived are handled and answered, and everything sent is flushed. */
	readonly isDrained: boolean;

	/** Called when the guards have passed, with what they have set, before the session opens. */
	admit(values: object, userId: string | undefined): void;
	/** Opens the session to messages. */
	open(): void;
	/** Handles the frames held for the guards. */
	releaseHeld(): void;
	/** The client's messages wait from now on, as behind a message that is being handled, until `waitedFor`. */
	waitFor(opening: object): void;
	/** Called with the argument of `waitFor`: the client's messages no longer wait. */
	waitedFor(opening: object): void;
	/** Calls `then` once the last queued message has started; immediately if none is queued. */
	whenAllStarted(then: () => void): void;
	/**
	 * Sends a frame of the protocol to the client, unless the connection is gone or plain. Returns false if it was not
	 * sent although the client speaks the protocol.
	 */
	send(frame: string): boolean;
	/** Closes the connection. */
	end(code: number, reason: string): void;
	/** Accepts no more messages; those that have arrived are still handled. */
	stopAccepting(): void;
	/** Pings the client. */
	ping(): void;
	/** Stops waiting for the running handler, which has exceeded its time limit. */
	handlerTimedOut(): void;
}

/** Passes a connection's messages to their handlers in order, one at a time, and limits their rate and number. */
export interface Inbound {
	/** The message being handled, identified by the token passed to {@link begin}. */
	readonly running: object | undefined;
	/** Marks a message as being handled: later messages wait until {@link finished} is called. */
	begin(running: object): void;
	/**
	 * Starts the next message. Does nothing if the token does not belong to the running message, for example after a
	 * timeout.
	 */
	finished(running: object): void;
	/** Announces that a handler awaits a reply from this client, so that reading continues while the handler runs. */
	expectReply(): void;
	/** Called when the reply announced by {@link expectReply} has arrived or is no longer expected. */
	replySettled(): void;
	/** Counts this many more messages towards the rate limit. */
	charge(messages: number): void;
	/** Undoes the counting of the last message: replies to pending requests don't count towards the rate limit. */
	refund(): void;
	/** Queues a frame until the guards have passed. */
	hold(frame: Frame): void;
}

/** Reads the messages of all sessions and runs their handlers. */
export interface MessageDispatcher {
	/**
	 * Handles a frame whose turn has come. If that is asynchronous, calls `session.inbound.begin` first and `finished`
	 * at the end. Never throws.
	 */
	handle(session: Session, frame: Frame): void;
	/**
	 * Called when a frame arrives that would have to wait. Handles it at once if it must not wait, such as a reply to
	 * the running handler's request. Returns whether the frame was handled. Never throws.
	 */
	handleOnArrival(session: Session, frame: Frame): boolean;
	/** Called when a message exceeds the rate. Returns whether to handle it nevertheless. */
	onRateExceeded(session: Session, frame: Frame): boolean;
	/**
	 * Called when the queue is full but a handler awaits a reply, so reading can't be paused; the message is dropped.
	 */
	onQueueFull(session: Session, frame: Frame): void;
	/** Called for a message that arrives after the session has stopped accepting messages. */
	onLateMessage(session: Session, frame: Frame): void;
	/** Called when the running handler has timed out, before the next message is handled. */
	onTimeout(session: Session): void;
}

/** The part of an endpoint that all its sessions share. */
export interface SessionHost {
	readonly limits: AllLimits;
	/** Reads the messages of connections that speak the protocol. */
	readonly typed: MessageDispatcher;
	/** Reads the messages of plain connections. */
	readonly raw: MessageDispatcher;
	readonly watchdog: { readonly tick: number };
	readonly keepAlive: { readonly tick: number; readonly stalls: Pick<Stalls, 'recentMs'> };
	/** Called with the first frame of a connection whose guards have not passed. */
	onFirstFrame(session: Session, frame: Frame): void;
	/** Called when all messages of a connection that has ended are handled. */
	onFinished(session: Session): void;
	/** Called when a client keeps exceeding the rate. */
	onFlood(session: Session): void;
	/** Called when more than `limits.queuedBytes` wait to be sent to a client. */
	onSlowReader(session: Session): void;
}
