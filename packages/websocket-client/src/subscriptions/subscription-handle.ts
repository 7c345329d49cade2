import {
	BuiltIn,
	type Envelope,
	type GapNotice,
	type RequestFault,
	SocketRequestError,
} from '@orijs/websocket/protocol';
import type { Failures } from '../failures.ts';
import { attempt, type Listeners } from '../support/listeners.ts';
import { deferred, limit } from '../support/promises.ts';
import { checkArguments } from './check-arguments.ts';
import { MessageBuffer } from './message-buffer.ts';
import type { PendingSubscription, Subscription, SubscriptionHandlers, SubscriptionOptions } from './subscription.ts';

/** What a subscription needs of the client. */
export interface SubscriptionOwner {
	/** Called with every gap. */
	readonly gaps: Listeners<[GapNotice]>;
	readonly failures: Failures;
	/** Called when a subscription has ended. Resolves once the server has stopped sending what only it needed. */
	closed(handle: SubscriptionHandle): Promise<void>;
}

/** One call of `subscribe()`: its handlers, until it is closed or fails. */
export class SubscriptionHandle {
	readonly topic: string;
	readonly options: SubscriptionOptions = {};
	/** What `subscribe()` returns. */
	readonly pending: PendingSubscription;
	/** Whether the subscription has neither been closed nor failed. */
	isOpen: boolean = true;
	/** Whether it has ever been confirmed. */
	isConfirmed: boolean = false;
	/** Whether the messages of `rewind` are still to come, and their pages have not been requested. */
	isRewindDue: boolean = false;
	/** The messages that wait: for the confirmation, if a rewind is due, or for pages of the history. */
	held: Envelope[] | undefined;
	readonly #owner: SubscriptionOwner;
	readonly #subscription: Subscription;
	readonly #confirmed = deferred<Subscription>();
	readonly #buffer = new MessageBuffer();
	#confirmedInTime: (() => void) | undefined;
	/** Stops listening to the signal. */
	#ignoreSignal: (() => void) | undefined;

	/**
	 * If an argument is invalid, the subscription fails with the error.
	 *
	 * @param end the error if the client is closed
	 */
	constructor(topic: string, options: SubscriptionOptions, owner: SubscriptionOwner, end: Error | undefined) {
		this.topic = topic;
		this.#owner = owner;
		this.#subscription = {
			topic,
			close: () => this.close(),
			[Symbol.asyncIterator]: () =>
				this.#buffer.read(
					(span) => {
						const gap = { topic, ...span };
						owner.gaps.call(gap);
						this.call('onGap', gap);
					},
					() => void this.close(),
				),
		};
		this.pending = Object.assign(this.#confirmed.promise, this.#subscription);
		try {
			const all = checkArguments(topic, options);
			if (end) throw end;
			this.options = all;
		} catch (error) {
			// If the subscription is not awaited, this would otherwise go unnoticed.
			this.break(error as Error);
			return;
		}
		const { rewind, signal, timeoutMs } = this.options;
		this.isRewindDue = !!rewind;
		const abort = (): unknown => this.close(signal?.reason as Error);
		const late = (): unknown => this.fail(this.#error('timeout', `not confirmed within ${timeoutMs} ms`));
		this.#confirmedInTime = limit(undefined, late, timeoutMs);
		this.#ignoreSignal = limit(signal, abort);
		if (signal?.aborted) abort();
	}

	/** Called when the server has confirmed the topic. */
	confirm(): void {
		this.#confirmedInTime?.();
		this.isConfirmed = true;
		this.#confirmed.resolve(this.#subscription);
	}

	/**
	 * Passes a message to `onMessage` and the loop, if it is of the kind that the subscription receives. While a rewind
	 * is due, holds it, or drops it if the rewind will bring it.
	 */
	message(envelope: Envelope): void {
		/** The most messages that may wait for the pages of a rewind. */
		const MAX_HELD = 10_000;
		if (this.held) {
			if (this.held.push(envelope) > MAX_HELD && !this.isRewindDue)
				this.break(this.#error('timeout', 'rewind is too slow'));
			return;
		}
		if (!this.isOpen || this.isRewindDue) return;
		const { options } = this;
		if (options.message && options.message.name !== envelope.name) return;
		if (!options.onMessage || this.#buffer.isRead) this.#buffer.add(envelope, options.buffer as number);
		this.call('onMessage', envelope.data, envelope);
	}

	/** Passes on these messages, and from now on all others. */
	release(messages: readonly Envelope[] = []): void {
		this.held = undefined;
		this.isRewindDue = false;
		for (const envelope of messages) this.message(envelope);
	}

	/** Calls a handler, unless the subscription has ended. */
	call(name: keyof SubscriptionHandlers, argument: unknown, envelope?: Envelope): void {
		if (this.isOpen)
			attempt(() => this.options[name]?.(argument as never, envelope as never), this.#owner.failures.thrown);
	}

	/** Ends the subscription, because the server has refused the topic. */
	refuse(error: Error): void {
		this.#confirmed.reject(error);
		this.call('onRefused', error);
		if (this.isOpen) void this.fail(error);
	}

	/**
	 * Ends the subscription, because the server has unsubscribed the client. Messages that wait are delivered first,
	 * also to a loop, which then ends.
	 */
	unsubscribed({ code, message }: RequestFault): void {
		if (!this.isConfirmed) return this.refuse(this.#error(code, message));
		this.release(this.held);
		this.call('onUnsubscribed', { code, message });
		if (this.isOpen) void this.fail(this.#error(code, message), null, true);
	}

	/** Ends the subscription, because it can't begin or its rewind failed, and reports the error. */
	break(error: Error): void {
		this.refuse(error);
		this.#owner.failures.report(error, 'subscribe');
	}

	/** Closes the subscription. @param reason the error of the promise, if the subscription is not confirmed yet */
	close(reason: Error = this.#error('closed', 'closed before it was confirmed')): Promise<void> {
		return this.fail(reason, null);
	}

	/**
	 * Ends the subscription with an error.
	 *
	 * @param loopError null if a loop just ends
	 * @param keepsWaiting whether the loop then takes the messages that wait nevertheless
	 */
	fail(error: Error, loopError: Error | null = error, keepsWaiting?: boolean): Promise<void> {
		this.isOpen = false;
		this.held = undefined;
		this.#confirmedInTime?.();
		this.#ignoreSignal?.();
		this.#confirmed.reject(error);
		this.#buffer.end(loopError, keepsWaiting);
		return this.#owner.closed(this);
	}

	#error(code: string, message: string): SocketRequestError {
		return new SocketRequestError(`${BuiltIn.subscribe} ${this.topic}`, code, message);
	}
}
