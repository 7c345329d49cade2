import type { SocketData } from '@orijs/websocket';
import type { AppSocket } from '../app-socket.ts';
import type { AllLimits } from '../limits.ts';

/** A raw WebSocket message. */
export type Frame = string | Buffer;

/** A message after {@link MessageDispatcher.read}. */
export type Work = object | string;

/**
 * `guarding`: no messages pass in either direction until the guards have passed. `open`: messages are handled.
 * `closing`: no more messages are accepted. `closed`: the connection is gone; messages that arrived before are still
 * handled.
 */
export type SessionState = 'guarding' | 'open' | 'closing' | 'closed';

/** One connection, from its upgrade to its end. */
export interface Session extends SocketData<object> {
	readonly state: SessionState;
	readonly ws: AppSocket;
	/** Values set by the guards, and by handlers. */
	readonly values: object;
	/** Aborted when the connection has ended. */
	readonly signal: AbortSignal;
	/** Order, rate and bounds of the connection's messages. */
	readonly inbound: Inbound;
	/** The number of subscribe and unsubscribe requests of this client that are not answered yet. */
	pendingAnswers: number;
	/** When messages to a slow reader were first dropped (ms since the epoch); only with `slowReaders: 'drop'`. */
	droppingSince: number | undefined;
	/** Whether any message to the client was dropped, so that an answer may be among them. */
	readonly hasDropped: boolean;
	/** Whether a handler is being awaited. */
	readonly isBusy: boolean;
	/** Whether reading is paused because too many messages are queued. */
	readonly isPaused: boolean;
	/** The watchdog's tick at which the awaited handler started. */
	readonly startedAt: number;
	/** Whether all messages that arrived are handled and answered, and everything sent is flushed. */
	readonly isDrained: boolean;

	/** The guards have passed and have set these values. */
	open(values?: object): void;
	/** Handles the frames held for the guards. */
	releaseHeld(): void;
	/** Calls `then` once the last queued message has started; at once if none is queued. */
	whenAllStarted(then: () => void): void;
	/** Sends text to the client unless the connection is gone. Returns false when it was not sent. */
	send(text: string): boolean;
	/** Closes the connection. */
	end(code: number, reason: string): void;
	/** Accepts no more messages; those that have arrived are still handled. */
	stopAccepting(): void;
	/** Writes to the socket: while reading is paused, only a failing write shows that the client has gone. */
	ping(): void;
	/** The awaited handler exceeded its time: stops waiting for it. */
	handlerTimedOut(): void;
}

/** A connection's messages on their way to their handlers: in order, one at a time, limited in rate and number. */
export interface Inbound {
	/** The message being awaited, by the token given to {@link begin}. */
	readonly running: object | undefined;
	/** Marks a message as being handled: those after it wait until {@link finished}. */
	begin(running: object): void;
	/** Starts the next message. Does nothing if the token is not the running one's, as after a timeout. */
	finished(running: object): void;
	/** A handler awaits a reply from this client, so reading must go on while it runs. */
	expectReply(): void;
	/** The reply announced by {@link expectReply} has arrived or is no longer expected. */
	replySettled(): void;
	/** Counts this many more messages against the rate. */
	charge(messages: number): void;
	/** Takes one message off the rate: a reply that the server asked for is free. */
	refund(): void;
	/** Queues a frame until the guards have passed. */
	hold(frame: Frame): void;
}

/** Reads the messages of all sessions and runs their handlers. */
export interface MessageDispatcher {
	/** Inspects a message on arrival. Returns the work to run in its turn, or undefined when it needs none. */
	read(session: Session, frame: Frame): Work | undefined;
	/** Handles the work. If that takes time, calls `session.inbound.begin`, and `finished` at the end. Never throws. */
	run(session: Session, work: Work): void;
	/** A message exceeded the rate. Returns whether it is handled all the same. */
	onRateExceeded(session: Session, frame: Frame): boolean;
	/** The queue is full while a handler awaits a reply, so reading can't pause: the message is dropped. */
	onQueueFull(session: Session, work: Work): void;
	/** A message arrived after the session stopped accepting them. */
	onLateMessage(session: Session, frame: Frame): void;
	/** The running handler timed out; the next message is about to be handled. */
	onTimeout(session: Session): void;
}

/** What all sessions of an endpoint share. */
export interface SessionHost {
	readonly limits: AllLimits;
	readonly dispatcher: MessageDispatcher;
	readonly watchdog: { readonly tick: number };
	/** The first frame of a connection whose guards have not passed. */
	onFirstFrame(session: Session, frame: Frame): void;
	/** The client kept exceeding the rate. */
	onFlood(session: Session): void;
	/** More than `limits.queuedBytes` wait to be sent to the client. */
	onSlowReader(session: Session): void;
}
