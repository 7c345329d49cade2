import type { AuthAnswer } from '@orijs/websocket/protocol';

/** For the server's rate limit, this many topics in one request count as one message. */
export const TOPICS_PER_MESSAGE = 10;

/**
 * The client sends in `FULL_MS` what the server allows in `BURST_MS`: nine tenths of its rate. The rest makes up for
 * clocks that do not run equally fast, and for what is not counted here but may count there: replies to requests of
 * other nodes than the connected one.
 */
const BURST_MS = 1_000;
const FULL_MS = 1_112;

/**
 * If a message takes longer than this, in milliseconds, pings would use up too much of the rate. Everything is then
 * taken to arrive when it is sent.
 */
const MAX_CONFIRMED_MS = 115;

/** At least the size of a ping. */
const PING_BYTES = 64;

/**
 * Keeps a lower bound of what is left of the server's rate limit: a token bucket that holds a second's worth of
 * messages, and one of bytes. Here it is a single bucket of milliseconds: a message costs as much time as the stricter
 * rate gives it, so that both are kept.
 *
 * The network, or a server that has paused reading, can delay what was sent, and let it arrive all at once. Therefore,
 * what was sent is reserved at once, but taken from the bucket only when an answer shows that it has arrived: had the
 * server taken it earlier, more would have been earned back since.
 *
 * @see https://en.wikipedia.org/wiki/Token_bucket
 */
export class Pace {
	/** The time that everything sent so far takes. */
	sent = 0;
	/** How much of `sent` is known to have arrived. */
	#arrived = 0;
	#perMessage = 0;
	#perByte = 0;
	#burst = 0;
	#saved = 0;
	#savedAt = 0;
	#isAsking = false;
	readonly #ping: () => Promise<unknown>;

	/** @param ping resolves once the server has answered; may reject */
	constructor(ping: () => Promise<unknown>) {
		this.#ping = ping;
	}

	/** Sets the server's rates. Until then, everything may be sent. */
	limit({ messagesPerSecond = Infinity, bytesPerSecond = Infinity }: AuthAnswer): void {
		this.#perMessage = FULL_MS / messagesPerSecond;
		this.#perByte = FULL_MS / bytesPerSecond;
		// One message is left to the server for a ping, which does not wait, or for a reply.
		this.#burst = this.#saved = Math.max(0, BURST_MS - this.#perMessage);
		this.#savedAt = performance.now();
		// This was `@auth`.
		this.pay(1, 0);
	}

	/** Counts what has just been sent. */
	pay(messages: number, bytes: number): void {
		this.sent += this.#cost(messages, bytes);
		if (this.#perMessage > MAX_CONFIRMED_MS) this.arrived(this.sent);
		this.#askFor(this.#burst / 2);
	}

	/** Called when the server is known to have received everything up to this value of `sent`. */
	arrived(sent: number): void {
		if (sent <= this.#arrived) return;
		this.#save();
		this.#saved -= sent - this.#arrived;
		this.#arrived = sent;
	}

	/**
	 * Returns in how many milliseconds this much may be sent; 0 if it may be sent now. More than a burst may be sent
	 * when the bucket is full, because then the server's is full, too, and that holds its largest message.
	 */
	delay(messages: number, bytes: number): number {
		const cost = Math.min(this.#burst, this.#cost(messages, bytes));
		if (cost > this.#free) {
			this.#save();
			this.#askFor(cost);
		}
		return Math.max(0, cost - this.#free);
	}

	get #free(): number {
		return this.#saved - (this.sent - this.#arrived);
	}

	/** The maximum number of messages that may be sent at once; at least 1. */
	get burst(): number {
		return Math.max(1, Math.floor(this.#burst / this.#perMessage));
	}

	/** How long after a ping the next one may be sent, in milliseconds: pings use half of the rate at most. */
	get pingMs(): number {
		return 2 * this.#cost(1, PING_BYTES);
	}

	#cost(messages: number, bytes: number): number {
		return Math.max(messages * this.#perMessage, bytes * this.#perByte);
	}

	#save(): void {
		const now = performance.now();
		this.#saved = Math.min(this.#burst, this.#saved + now - this.#savedAt);
		this.#savedAt = now;
	}

	/** Asks the server what has arrived, if this much can't be sent without knowing. */
	#askFor(cost: number): void {
		if (this.#isAsking || cost <= this.#burst - (this.sent - this.#arrived)) return;
		this.#isAsking = true;
		const answered = (): void => {
			this.#isAsking = false;
		};
		this.#ping().then(answered, answered);
	}
}
