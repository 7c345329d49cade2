import type { WebSocketConnection } from './websocket-connection.ts';
import { InvalidOptionError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { CloseCode } from '../protocol/closing.ts';

/** What is done about clients that read more slowly than they are sent to. */
export interface SlowReaderOptions {
	/**
	 * How many bytes may wait for one socket; with more it counts as too slow. Default 8 MiB, half of Bun's own
	 * `backpressureLimit`, at which Bun drops messages: keep it well below that.
	 */
	readonly queuedBytes?: number;
	/**
	 * `close` ends the connection with code 1013, so that the client knows that it has missed something; it still gets what was
	 * queued, if it goes on reading. `drop` leaves it to Bun to drop what is over its limit. Default `close`.
	 */
	readonly slowReaders?: 'close' | 'drop';
	/**
	 * Called for each socket that was found too slow: closed, or, with `drop`, about to lose messages. To say so in the log is then up
	 * to it. Nothing to it was dropped before `since`, in milliseconds since the epoch. Must not throw. Default: those that are closed
	 * are logged.
	 */
	readonly onSlowReader?: (socket: WebSocketConnection, since: number) => void;
}

const DEFAULT_QUEUED_BYTES = 8 * 1024 * 1024;

/** What is not urgent waits while more than this does, in bytes. */
const ROOM_BYTES = 64 * 1024;

/** What a message takes besides its content, at most (RFC 6455, 5.2). */
const FRAME_HEAD_BYTES = 10;

/** How often all sockets are looked at because something was dropped, at most, in milliseconds. */
const SHORTEST_LOOK_MS = 5;

/**
 * Finds the sockets whose clients read too slowly. Bun says of a publish only that some socket held it up, so all are looked at
 * then, but no more often than a buffer can have grown by a quarter of its limit.
 */
export class SlowReaders {
	readonly #sockets: () => Iterable<WebSocketConnection>;
	readonly #logger: Logger;
	#limit = DEFAULT_QUEUED_BYTES;
	#closes = true;
	#onSlowReader: SlowReaderOptions['onSlowReader'];
	/** What may have been queued for some socket since all were looked at, in bytes. */
	#unseen = 0;
	/** When the first of that was sent, in milliseconds since the epoch. */
	#unseenSince = 0;
	/** When all were looked at, by the monotonic clock. */
	#lookedAt = 0;

	constructor(sockets: () => Iterable<WebSocketConnection>, logger: Logger) {
		this.#sockets = sockets;
		this.#logger = logger;
	}

	/** @throws {InvalidOptionError} */
	configure({ queuedBytes = DEFAULT_QUEUED_BYTES, slowReaders = 'close', onSlowReader }: SlowReaderOptions): void {
		if (!Number.isSafeInteger(queuedBytes) || queuedBytes < 1)
			throw new InvalidOptionError(
				`queuedBytes must be a whole number of bytes, 1 or more, not ${String(queuedBytes)}`,
			);
		if (slowReaders !== 'close' && slowReaders !== 'drop')
			throw new InvalidOptionError(`slowReaders must be 'close' or 'drop', not ${String(slowReaders)}`);
		this.#limit = queuedBytes;
		this.#closes = slowReaders === 'close';
		this.#onSlowReader = onSlowReader;
	}

	/**
	 * Whether so little waits for a socket that it can be sent what may be much.
	 *
	 * @param corked bytes sent while it is corked: Bun counts them as waiting only when it is not any more
	 */
	hasRoom(socket: WebSocketConnection, corked = 0): boolean {
		return socket.getBufferedAmount() + corked <= Math.min(ROOM_BYTES, this.#limit / 4);
	}

	/** Something of so many bytes was sent to many, and some of them could not take it at once, or lost it. */
	heldUp(bytes: number, isDropped: boolean): void {
		if (this.#unseen === 0) this.#unseenSince = Date.now();
		this.#unseen += bytes + FRAME_HEAD_BYTES;
		if (this.#unseen < this.#limit / 4 && !(isDropped && this.#mayLookAgain())) return;
		this.#unseen = 0;
		this.#lookedAt = performance.now();
		for (const socket of this.#sockets()) this.look(socket, this.#unseenSince);
	}

	/** A topic in which all is dropped must not make every publish look at all sockets. */
	#mayLookAgain(): boolean {
		return performance.now() - this.#lookedAt > SHORTEST_LOOK_MS;
	}

	/** One socket could not take at once what it was sent. */
	look(socket: WebSocketConnection, since: number = Date.now()): void {
		// What Bun drops it drops silently, so with `drop` a socket is named before that can happen.
		if (socket.getBufferedAmount() <= (this.#closes ? this.#limit : this.#limit / 2)) return;
		if (this.#closes) {
			if (this.#onSlowReader === undefined) {
				const { socketId } = socket.data;
				this.#logger.warn('A client reads too slowly and is disconnected', {
					socketId,
					queued: socket.getBufferedAmount(),
				});
			}
			socket.close(CloseCode.tryAgainLater, 'reads too slowly');
		}
		this.#onSlowReader?.(socket, since);
	}
}
