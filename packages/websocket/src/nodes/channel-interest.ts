import type { Bus } from '../bus.ts';
import { SubscribeError, SubscriptionLostError } from '../errors.ts';
import { DONE, quiet, toError } from '../support/promises.ts';

/** How long a topic that emptied stays subscribed at the backend, in milliseconds, unless set: enough for a page reload. */
export const DEFAULT_GRACE_MS = 1_000;

export interface ChannelInterestOptions {
	readonly graceMs: number;
	/** The backend refused a channel; whoever wanted it must be told and rolled back. */
	readonly onRefused: (channel: string, error: SubscribeError) => void;
	/**
	 * A channel that was live got nothing since then, in milliseconds since the epoch, because the backend refused it. Called again and again,
	 * each time for what was not told yet, at last without an error, when the channel is live again.
	 */
	readonly onUnheard: (channel: string, since: number, error?: SubscriptionLostError) => void;
	/** Something failed that no caller is waiting for. */
	readonly onError: (error: Error) => void;
}

/** When a live channel that the backend refuses by now is asked for again, at first and at most, in milliseconds. */
const ASK_AGAIN_FIRST_MS = 1_000;
const ASK_AGAIN_LAST_MS = 15_000;

/** A channel that was asked for and is not live yet, or not any more. */
interface Pending {
	readonly promise: Promise<void>;
	readonly resolve: () => void;
	readonly reject: (error: Error) => void;
	/** Set while the backend is being asked for a channel that nobody wants any more: the grace it is to get then. */
	released: number | undefined;
}

/** Marks a channel whose frames arrive. */
const LIVE = null;

/**
 * What this node asks the backend for: the channels somebody here wants, and no others. Requests of one tick travel together,
 * callers of one pending channel share one promise, and a channel nobody wants any more is kept for a grace.
 */
export class ChannelInterest {
	readonly #bus: Bus;
	readonly #options: ChannelInterestOptions;
	readonly #channels = new Map<string, Pending | typeof LIVE>();
	/** Asked for since the last flush, or since before `open`. */
	readonly #joining = new Set<string>();
	readonly #leaving = new Set<string>();
	/** Live channels nobody wants, with the time they are to be let go; in the order of that time. */
	readonly #lingering = new Map<string, number>();
	/** By channel that was live and is refused: when the backend is asked for it again. */
	readonly #askAgain = new Map<string, ReturnType<typeof setTimeout>>();
	#suspended: PromiseWithResolvers<void> | undefined;
	#open = false;
	#flush: ReturnType<typeof setImmediate> | undefined;
	#sweep: ReturnType<typeof setTimeout> | undefined;

	constructor(bus: Bus, options: ChannelInterestOptions) {
		this.#bus = bus;
		this.#options = options;
	}

	/** The backend is away: until `resume` nothing is live, whatever was. */
	suspend(): void {
		if (this.#suspended !== undefined) return;
		const { promise, resolve, reject } = Promise.withResolvers<void>();
		this.#suspended = { promise: quiet(promise), resolve, reject };
	}

	/** What was live is live again. */
	resume(): void {
		this.#suspended?.resolve();
		this.#suspended = undefined;
	}

	/** The channels whose frames arrive and that somebody wants. */
	*live(): Generator<string> {
		for (const [channel, pending] of this.#channels) {
			if (pending === LIVE && !this.#lingering.has(channel)) yield channel;
		}
	}

	isLive(channel: string): boolean {
		return this.#channels.get(channel) === LIVE && !this.#lingering.has(channel);
	}

	/** A live channel is refused by now. Where somebody wants it, the backend is asked until it is live again. */
	revoke(channel: string, since: number, cause: Error): void {
		if (this.#channels.get(channel) !== LIVE) return;
		if (this.#lingering.delete(channel)) {
			this.#channels.delete(channel);
			return;
		}
		const { promise, resolve, reject } = Promise.withResolvers<void>();
		const pending = { promise: quiet(promise), resolve, reject, released: undefined };
		this.#channels.set(channel, pending);
		this.#unheard(channel, pending, since, ASK_AGAIN_FIRST_MS, toError(cause));
	}

	#unheard(channel: string, pending: Pending, since: number, delayMs: number, cause: Error): void {
		this.#options.onUnheard(channel, since, new SubscriptionLostError(channel, { cause }));
		const told = Date.now();
		const timer = setTimeout(() => {
			this.#askAgain.delete(channel);
			this.#bus.subscribe([channel]).then(
				() => {
					if (this.#channels.get(channel) !== pending) return;
					this.#arrived(channel, pending);
					this.#options.onUnheard(channel, told);
				},
				(thrown: unknown) => {
					if (this.#channels.get(channel) !== pending) return;
					this.#unheard(channel, pending, told, Math.min(delayMs * 2, ASK_AGAIN_LAST_MS), toError(thrown));
				},
			);
		}, delayMs);
		timer.unref();
		this.#askAgain.set(channel, timer);
	}

	/** Whether a channel was waiting to be asked for again; it is not any more. */
	#neverMind(channel: string): boolean {
		clearTimeout(this.#askAgain.get(channel));
		return this.#askAgain.delete(channel);
	}

	/** From now on the backend is asked; what was acquired before goes out with the first flush. */
	open(): void {
		this.#open = true;
		this.#schedule();
	}

	/** Forgets every channel; promises still pending reject with `reason`. */
	close(reason: Error): void {
		this.#open = false;
		this.#suspended?.reject(reason);
		this.#suspended = undefined;
		clearImmediate(this.#flush);
		clearTimeout(this.#sweep);
		this.#flush = undefined;
		this.#sweep = undefined;
		for (const timer of this.#askAgain.values()) clearTimeout(timer);
		this.#askAgain.clear();
		for (const pending of this.#channels.values()) pending?.reject(reason);
		this.#channels.clear();
		this.#joining.clear();
		this.#leaving.clear();
		this.#lingering.clear();
	}

	/** Resolves when frames published to the channel by any node arrive here. Rejects with a {@link SubscribeError}. */
	acquire(channel: string): Promise<void> {
		const pending = this.#channels.get(channel);
		if (pending === LIVE) {
			if (this.#lingering.size > 0) this.#lingering.delete(channel);
			return this.#suspended === undefined ? DONE : this.#suspended.promise;
		}
		if (pending !== undefined) {
			pending.released = undefined;
			return pending.promise;
		}
		const { promise, resolve, reject } = Promise.withResolvers<void>();
		this.#channels.set(channel, { promise: quiet(promise), resolve, reject, released: undefined });
		this.#joining.add(channel);
		this.#schedule();
		return promise;
	}

	/** Nobody here wants the channel any more. It is kept for `graceMs`, in case somebody comes back. */
	release(channel: string, graceMs: number = this.#options.graceMs): void {
		const pending = this.#channels.get(channel);
		if (pending === undefined) return;
		if (pending !== LIVE) {
			if (this.#joining.delete(channel) || this.#neverMind(channel)) {
				this.#channels.delete(channel);
				pending.resolve();
			} else {
				pending.released = graceMs;
			}
		} else if (graceMs > 0) {
			this.#lingering.set(channel, performance.now() + graceMs);
			this.#armSweep(graceMs);
		} else {
			this.#letGo(channel);
		}
	}

	#letGo(channel: string): void {
		this.#lingering.delete(channel);
		this.#channels.delete(channel);
		this.#leaving.add(channel);
		this.#schedule();
	}

	#schedule(): void {
		if (!this.#open || this.#flush !== undefined) return;
		this.#flush = setImmediate(() => {
			this.#flush = undefined;
			// Leaves go first: a channel left and joined in one tick must end up joined.
			if (this.#leaving.size > 0) {
				const leaving = [...this.#leaving];
				this.#leaving.clear();
				this.#bus.unsubscribe(leaving).catch((thrown: unknown) => this.#options.onError(toError(thrown)));
			}
			if (this.#joining.size > 0) {
				const joining = [...this.#joining];
				this.#joining.clear();
				void this.#subscribe(joining);
			}
		});
	}

	async #subscribe(channels: readonly string[]): Promise<void> {
		const asked = channels.map((channel) => this.#channels.get(channel));
		try {
			await this.#bus.subscribe(channels);
		} catch (thrown) {
			// One refused channel must not take the others of its tick with it. After a `close` nobody wants any of them.
			const wanted = channels.filter((channel, i) => asked[i] && this.#channels.get(channel) === asked[i]);
			if (channels.length > 1) await Promise.all(wanted.map((channel) => this.#subscribe([channel])));
			else for (const channel of wanted) this.#refused(channel, asked[0], toError(thrown));
			return;
		}
		channels.forEach((channel, i) => this.#arrived(channel, asked[i]));
	}

	#arrived(channel: string, pending: Pending | null | undefined): void {
		// After a `close` the channel may be gone, or asked for anew.
		if (!pending || this.#channels.get(channel) !== pending) return;
		this.#channels.set(channel, LIVE);
		pending.resolve();
		if (pending.released !== undefined) this.release(channel, pending.released);
	}

	#refused(channel: string, pending: Pending | null | undefined, cause: Error): void {
		if (!pending || this.#channels.get(channel) !== pending) return;
		this.#channels.delete(channel);
		const error = new SubscribeError(channel, { cause });
		this.#options.onRefused(channel, error);
		pending.reject(error);
	}

	#armSweep(delayMs: number): void {
		if (this.#sweep !== undefined) return;
		this.#sweep = setTimeout(() => {
			this.#sweep = undefined;
			const now = performance.now();
			for (const [channel, deadline] of this.#lingering) {
				if (deadline > now) {
					this.#armSweep(deadline - now);
					return;
				}
				this.#letGo(channel);
			}
		}, delayMs);
		this.#sweep.unref();
	}
}
