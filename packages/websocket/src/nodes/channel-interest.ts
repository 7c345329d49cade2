import type { Bus } from '../bus.ts';
import { SubscribeError, SubscriptionLostError } from '../errors.ts';
import { DONE, quiet, toError } from '../support/promises.ts';

/**
 * How long a topic without sockets stays subscribed at the backend by default, in milliseconds: enough for a page
 * reload.
 */
export const DEFAULT_GRACE_MS = 1_000;

export interface ChannelInterestOptions {
	readonly graceMs: number;
	/**
	 * Called when the backend has refused to subscribe to a channel. The subscriptions of its sockets must be rolled
	 * back.
	 */
	readonly onRefused: (channel: string, error: SubscribeError) => void;
	/**
	 * Called when the backend has refused to resubscribe a live channel, on which frames may be missing from `since`
	 * (milliseconds since the epoch) until now. Called again after each failed retry, with the time of the previous call
	 * as `since`, and finally without an error once the channel is live again.
	 */
	readonly onLost: (channel: string, since: number, error?: SubscriptionLostError) => void;
	/** Called when an operation has failed in the background. */
	readonly onError: (error: Error) => void;
}

/** The first and the longest delay before a lost subscription is retried, in milliseconds. */
const RETRY_FIRST_MS = 1_000;
const RETRY_LAST_MS = 15_000;

/** A channel that is not live yet, or no longer live. */
interface Pending {
	readonly promise: Promise<void>;
	readonly resolve: () => void;
	readonly reject: (error: Error) => void;
	/** The number of the latest call to the backend that asks for the channel; 0 before the first. */
	ask: number;
	/** Whether the channel was unsubscribed without a grace period: it is dropped as soon as the backend answers. */
	endsWithAnswer: boolean;
}

/** Marks a channel that is subscribed at the backend. */
const LIVE = null;

/**
 * Keeps this node subscribed at the backend to the channels that it needs. Calls made in one tick are sent to the
 * backend together, and calls for the same pending channel share a promise. A channel that is no longer needed stays
 * subscribed for a grace period.
 */
export class ChannelInterest {
	readonly #bus: Bus;
	readonly #options: ChannelInterestOptions;
	readonly #channels = new Map<string, Pending | typeof LIVE>();
	/** The channels to subscribe to, and those to unsubscribe from, with the next flush. */
	readonly #toSubscribe = new Set<string>();
	readonly #toUnsubscribe = new Set<string>();
	/**
	 * Channels in their grace period, with the time at which it ends, in the order of these times. They are live, or the
	 * backend has been asked to subscribe to them; the latter have a grace period in any case.
	 */
	readonly #inGrace = new Map<string, number>();
	/** Timers that retry lost subscriptions, by channel. */
	readonly #retries = new Map<string, ReturnType<typeof setTimeout>>();
	#asks = 0;
	#suspended: PromiseWithResolvers<void> | undefined;
	#open = false;
	#flush: ReturnType<typeof setImmediate> | undefined;
	#sweep: ReturnType<typeof setTimeout> | undefined;

	constructor(bus: Bus, options: ChannelInterestOptions) {
		this.#bus = bus;
		this.#options = options;
	}

	/** Called when the backend is unavailable: calls to `subscribe` for live channels wait for `resume`. */
	suspend(): void {
		if (this.#suspended !== undefined) return;
		const { promise, resolve, reject } = Promise.withResolvers<void>();
		this.#suspended = { promise: quiet(promise), resolve, reject };
	}

	/** Called when the backend is available again and has resubscribed the live channels. */
	resume(): void {
		this.#suspended?.resolve();
		this.#suspended = undefined;
	}

	/** Yields the live channels that are needed. */
	*live(): Generator<string> {
		for (const [channel, pending] of this.#channels) {
			if (pending === LIVE && !this.#inGrace.has(channel)) yield channel;
		}
	}

	isLive(channel: string): boolean {
		return this.#channels.get(channel) === LIVE && !this.#inGrace.has(channel);
	}

	/**
	 * Called when the backend has refused to resubscribe a live channel. If the channel is needed, the subscription is
	 * retried.
	 */
	refused(channel: string, since: number, cause: Error): void {
		if (this.#channels.get(channel) !== LIVE) return;
		if (this.#inGrace.delete(channel)) {
			this.#channels.delete(channel);
			return;
		}
		const { promise, resolve, reject } = Promise.withResolvers<void>();
		const pending = { promise: quiet(promise), resolve, reject, ask: 0, endsWithAnswer: false };
		this.#channels.set(channel, pending);
		this.#retryLater(channel, pending, since, RETRY_FIRST_MS, toError(cause));
	}

	#retryLater(channel: string, pending: Pending, since: number, delayMs: number, cause: Error): void {
		this.#options.onLost(channel, since, new SubscriptionLostError(channel, { cause }));
		const reported = Date.now();
		const timer = setTimeout(() => {
			this.#retries.delete(channel);
			this.#bus.subscribe([channel]).then(
				() => {
					if (this.#channels.get(channel) !== pending) return;
					this.#subscribed(channel, pending);
					this.#options.onLost(channel, reported);
				},
				(thrown: unknown) => {
					if (this.#channels.get(channel) !== pending) return;
					// The channel was unsubscribed during the request, so it is no longer needed.
					if (this.#inGrace.delete(channel)) {
						this.#channels.delete(channel);
						return pending.resolve();
					}
					this.#retryLater(channel, pending, reported, Math.min(delayMs * 2, RETRY_LAST_MS), toError(thrown));
				},
			);
		}, delayMs);
		timer.unref();
		this.#retries.set(channel, timer);
	}

	/** Cancels the retry for a channel. Returns whether there was one. */
	#cancelRetry(channel: string): boolean {
		clearTimeout(this.#retries.get(channel));
		return this.#retries.delete(channel);
	}

	/**
	 * Starts sending subscriptions to the backend. Subscriptions that were requested earlier go out with the first
	 * flush.
	 */
	open(): void {
		this.#open = true;
		this.#schedule();
	}

	/** Forgets every channel; pending promises reject with `reason`. */
	close(reason: Error): void {
		this.#open = false;
		this.#suspended?.reject(reason);
		this.#suspended = undefined;
		clearImmediate(this.#flush);
		clearTimeout(this.#sweep);
		this.#flush = undefined;
		this.#sweep = undefined;
		for (const timer of this.#retries.values()) clearTimeout(timer);
		this.#retries.clear();
		for (const pending of this.#channels.values()) pending?.reject(reason);
		this.#channels.clear();
		this.#toSubscribe.clear();
		this.#toUnsubscribe.clear();
		this.#inGrace.clear();
	}

	/**
	 * Subscribes to a channel. Resolves once frames that any node publishes to it will arrive.
	 *
	 * @throws {SubscribeError} the backend refused
	 */
	subscribe(channel: string): Promise<void> {
		const pending = this.#channels.get(channel);
		if (pending !== undefined && this.#inGrace.size > 0) this.#inGrace.delete(channel);
		if (pending === LIVE) return this.#suspended === undefined ? DONE : this.#suspended.promise;
		if (pending !== undefined) {
			pending.endsWithAnswer = false;
			return pending.promise;
		}
		const { promise, resolve, reject } = Promise.withResolvers<void>();
		this.#channels.set(channel, { promise: quiet(promise), resolve, reject, ask: 0, endsWithAnswer: false });
		this.#toSubscribe.add(channel);
		this.#schedule();
		return promise;
	}

	/** Declares that a channel is no longer needed. It stays subscribed for `graceMs`, in case it is needed again. */
	unsubscribe(channel: string, graceMs: number = this.#options.graceMs): void {
		const pending = this.#channels.get(channel);
		if (pending === undefined) return;
		if (pending !== LIVE) {
			if (this.#toSubscribe.delete(channel) || this.#cancelRetry(channel)) {
				this.#channels.delete(channel);
				pending.resolve();
				return;
			}
			pending.endsWithAnswer = graceMs === 0;
		} else if (graceMs === 0) {
			this.#drop(channel);
			return;
		}
		const waitMs = graceMs || this.#options.graceMs;
		this.#inGrace.set(channel, performance.now() + waitMs);
		this.#armSweep(waitMs);
	}

	/**
	 * Unsubscribes from a channel, even if the backend has not confirmed it yet. While the backend is away, that can
	 * take any time, and clients that subscribe and leave must not make what waits for it grow.
	 */
	#drop(channel: string): void {
		this.#inGrace.delete(channel);
		this.#channels.get(channel)?.resolve();
		this.#channels.delete(channel);
		this.#toUnsubscribe.add(channel);
		this.#schedule();
	}

	#schedule(): void {
		if (!this.#open || this.#flush !== undefined) return;
		this.#flush = setImmediate(() => {
			this.#flush = undefined;
			// Unsubscribes first: a channel that was unsubscribed and subscribed again in one tick must end up subscribed.
			if (this.#toUnsubscribe.size > 0) {
				const channels = [...this.#toUnsubscribe];
				this.#toUnsubscribe.clear();
				this.#bus.unsubscribe(channels).catch((thrown: unknown) => this.#options.onError(toError(thrown)));
			}
			if (this.#toSubscribe.size > 0) {
				const channels = [...this.#toSubscribe];
				this.#toSubscribe.clear();
				void this.#ask(channels);
			}
		});
	}

	async #ask(channels: readonly string[]): Promise<void> {
		// The number takes the place of the pending channels, which must not be kept until the backend answers.
		const ask = ++this.#asks;
		for (const channel of channels) {
			const pending = this.#channels.get(channel);
			if (pending) pending.ask = ask;
		}
		try {
			await this.#bus.subscribe(channels);
		} catch (thrown) {
			// One refused channel must not fail the others. So each channel is tried by itself, unless it was dropped.
			const wanted = channels.filter((channel) => this.#askedBy(ask, channel) !== undefined);
			if (channels.length > 1) await Promise.all(wanted.map((channel) => this.#ask([channel])));
			else for (const channel of wanted) this.#reject(channel, ask, toError(thrown));
			return;
		}
		for (const channel of channels) {
			const pending = this.#askedBy(ask, channel);
			if (pending !== undefined) this.#subscribed(channel, pending);
		}
	}

	/** Returns the channel if it is still pending; it may be gone, or may have been asked for again since. */
	#askedBy(ask: number, channel: string): Pending | undefined {
		const pending = this.#channels.get(channel);
		return pending?.ask === ask ? pending : undefined;
	}

	#subscribed(channel: string, pending: Pending): void {
		this.#channels.set(channel, LIVE);
		pending.resolve();
		if (pending.endsWithAnswer) this.#drop(channel);
	}

	#reject(channel: string, ask: number, cause: Error): void {
		const pending = this.#askedBy(ask, channel);
		if (pending === undefined) return;
		this.#channels.delete(channel);
		this.#inGrace.delete(channel);
		const error = new SubscribeError(channel, { cause });
		this.#options.onRefused(channel, error);
		pending.reject(error);
	}

	#armSweep(delayMs: number): void {
		if (this.#sweep !== undefined) return;
		this.#sweep = setTimeout(() => {
			this.#sweep = undefined;
			const now = performance.now();
			for (const [channel, deadline] of this.#inGrace) {
				if (deadline > now) {
					this.#armSweep(deadline - now);
					return;
				}
				this.#drop(channel);
			}
		}, delayMs);
		this.#sweep.unref();
	}
}
