import type { WebSocketConnection } from './websocket-connection.ts';
import { InvalidOptionError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import * as CloseCode from '../protocol/close-code.ts';
import { FailureLog } from '../support/failure-log.ts';
import { type LogKind, type LogThrottle, throttleOf } from '../support/log-throttle.ts';
import { promiseOf } from '../support/promise-of.ts';
import { show } from '../support/show.ts';

/** How to handle clients that read more slowly than messages are sent to them. */
export interface SlowReaderOptions {
	/**
	 * The maximum number of bytes queued for one socket; if more are queued, the socket is too slow. Keep it well below
	 * Bun's own `backpressureLimit`, above which Bun drops messages. Default 8 MiB, half of Bun's default limit.
	 */
	readonly queuedBytes?: number;
	/**
	 * Returns the maximum for one socket, if sockets differ. `queuedBytes` must then be the smallest of them. Called
	 * only for sockets with more than that queued; must not throw. Default: `queuedBytes` for all.
	 */
	readonly queuedBytesOf?: (socket: WebSocketConnection) => number;
	/**
	 * `close` closes the connection with code 1013, which tells the client that it has missed messages. The client still
	 * receives the queued messages if it keeps reading. `drop` keeps the connection and lets Bun drop messages above its
	 * limit. Default `close`.
	 */
	readonly slowReaders?: 'close' | 'drop';
	/**
	 * Called for each socket that is too slow: it has been closed or, with `drop`, is about to lose messages. No message
	 * to the socket was dropped before `since`, in milliseconds since the epoch. If it throws or rejects, the error is
	 * logged. Default: closed sockets are logged.
	 */
	readonly onSlowReader?: (socket: WebSocketConnection, since: number) => unknown;
}

const CLOSED: LogKind = { key: 'slow readers', summary: 'Disconnecting clients that read too slowly' };

const DEFAULT_QUEUED_BYTES = 8 * 1024 * 1024;

/** While more bytes than this are queued, messages that are not urgent wait. */
const ROOM_BYTES = 64 * 1024;

/** The maximum size of a frame's header, in bytes (RFC 6455, 5.2). */
const FRAME_HEAD_BYTES = 10;

/** Dropped messages trigger a check of all sockets: the minimum interval between two such checks, in milliseconds. */
const MIN_CHECK_INTERVAL_MS = 5;

/**
 * Finds the sockets whose clients read too slowly. After a publish, Bun reports only that some socket could not take
 * the message immediately. So all sockets are checked, but only once a buffer may have grown by a quarter of the limit,
 * or when a message was dropped.
 */
export class SlowReaders {
	readonly #sockets: () => Iterable<WebSocketConnection>;
	readonly #throttle: LogThrottle;
	readonly #failures: FailureLog;
	#limit = DEFAULT_QUEUED_BYTES;
	#limitOf: SlowReaderOptions['queuedBytesOf'];
	#closes = true;
	#onSlowReader: SlowReaderOptions['onSlowReader'];
	/** The most that can have been queued for a socket since all sockets were last checked, in bytes. */
	#uncheckedBytes = 0;
	/** When the first of the unchecked bytes was sent, in milliseconds since the epoch. */
	#uncheckedSince = 0;
	/** When all sockets were last checked, by the monotonic clock. */
	#checkedAt = 0;

	constructor(sockets: () => Iterable<WebSocketConnection>, logger: Logger) {
		this.#sockets = sockets;
		this.#throttle = throttleOf(logger);
		this.#failures = new FailureLog(logger);
	}

	/** @throws {InvalidOptionError} */
	configure({
		queuedBytes = DEFAULT_QUEUED_BYTES,
		queuedBytesOf,
		slowReaders = 'close',
		onSlowReader,
	}: SlowReaderOptions): void {
		if (!Number.isSafeInteger(queuedBytes) || queuedBytes < 1)
			throw new InvalidOptionError(`queuedBytes must be a whole number of bytes, 1 or more, not ${show(queuedBytes)}`);
		if (slowReaders !== 'close' && slowReaders !== 'drop')
			throw new InvalidOptionError(`slowReaders must be 'close' or 'drop', not ${show(slowReaders)}`);
		if (queuedBytesOf !== undefined && typeof queuedBytesOf !== 'function')
			throw new InvalidOptionError(`queuedBytesOf must be a function, not ${show(queuedBytesOf)}`);
		this.#limit = queuedBytes;
		this.#limitOf = queuedBytesOf;
		this.#closes = slowReaders === 'close';
		this.#onSlowReader = onSlowReader;
	}

	/**
	 * Returns whether the socket's queue is short enough to send messages that are not urgent.
	 *
	 * @param corked the number of bytes sent while the socket is corked, which Bun does not count as queued yet
	 */
	hasRoom(socket: WebSocketConnection, corked = 0): boolean {
		return socket.getBufferedAmount() + corked <= Math.min(ROOM_BYTES, this.#limit / 4);
	}

	/**
	 * Called when a message of this size was sent to several sockets, and at least one of them could not take it
	 * immediately, or lost it.
	 */
	noteBackpressure(bytes: number, isDropped: boolean): void {
		if (this.#uncheckedBytes === 0) this.#uncheckedSince = Date.now();
		this.#uncheckedBytes += bytes + FRAME_HEAD_BYTES;
		if (this.#uncheckedBytes < this.#limit / 4 && !(isDropped && this.#mayCheckAgain())) return;
		this.#uncheckedBytes = 0;
		this.#checkedAt = performance.now();
		for (const socket of this.#sockets()) this.check(socket, this.#uncheckedSince);
	}

	/** Limits the rate of checks: otherwise, each dropped message would cause a check of all sockets. */
	#mayCheckAgain(): boolean {
		return performance.now() - this.#checkedAt > MIN_CHECK_INTERVAL_MS;
	}

	/**
	 * Checks a socket that could not take a message immediately.
	 *
	 * @param since no message to the socket was dropped before this time, in milliseconds since the epoch
	 */
	check(socket: WebSocketConnection, since: number = Date.now()): void {
		// Bun drops messages silently, so with `drop`, a socket is reported before that can happen.
		const queued = socket.getBufferedAmount();
		const share = this.#closes ? 1 : 0.5;
		if (queued <= share * this.#limit) return;
		if (this.#limitOf !== undefined && queued <= share * this.#limitOf(socket)) return;
		if (this.#closes) {
			if (this.#onSlowReader === undefined) {
				const { socketId } = socket.data;
				this.#throttle.add('warn', CLOSED, 'Disconnecting a client that reads too slowly', { socketId, queued });
			}
			socket.close(CloseCode.tryAgainLater, 'reads too slowly');
		}
		this.#notify(socket, since);
	}

	#notify(socket: WebSocketConnection, since: number): void {
		try {
			promiseOf(this.#onSlowReader?.(socket, since))?.catch((thrown: unknown) => this.#reportListener(thrown));
		} catch (thrown) {
			this.#reportListener(thrown);
		}
	}

	#reportListener(thrown: unknown): void {
		this.#failures.report(thrown, 'onSlowReader');
	}
}
