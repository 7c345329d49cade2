import type { WebSocketConnection } from './connection.ts';
import { InvalidOptionError } from './errors.ts';
import type { Logger } from './logger.ts';
import { CloseCode } from './protocol/closing.ts';

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
	 * to it. Must not throw. Default: those that are closed are logged.
	 */
	readonly onSlowReader?: (socket: WebSocketConnection) => void;
}

const DEFAULT_QUEUED_BYTES = 8 * 1024 * 1024;

/**
 * Finds the sockets whose clients read too slowly. Bun says of a publish only that some socket held it up, so all are looked at
 * then, but no more often than a buffer can have grown by a quarter of its limit.
 */
export class SlowReaders {
	readonly #sockets: () => Iterable<WebSocketConnection>;
	readonly #logger: Logger;
	#limit = DEFAULT_QUEUED_BYTES;
	#closes = true;
	#onSlowReader: ((socket: WebSocketConnection) => void) | undefined;
	/** What may have been queued for some socket since all were looked at, in bytes. */
	#unseen = 0;

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

	/** Something of so many bytes was sent to many, and some of them could not take it at once. */
	heldUp(bytes: number): void {
		this.#unseen += bytes;
		if (this.#unseen < this.#limit / 4) return;
		this.#unseen = 0;
		for (const socket of this.#sockets()) this.look(socket);
	}

	/** One socket could not take at once what it was sent. */
	look(socket: WebSocketConnection): void {
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
		this.#onSlowReader?.(socket);
	}
}
