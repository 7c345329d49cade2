import { BuiltIn, type Envelope, type GapNotice, SocketRequestError } from '@orijs/websocket/protocol';
import type { Failures } from '../failures.ts';
import { MessageBuffer } from './message-buffer.ts';
import type { PendingSubscription, Recovered, Subscription, SubscriptionOptions } from './subscription.ts';
import { WatchedPromise } from './watched-promise.ts';

export interface SubscriptionEvents {
	/** Called when a subscription was closed. Resolves once the server has stopped sending what only it needed. */
	closed(handle: SubscriptionHandle): Promise<void>;
	/** Called when a loop comes to messages that were dropped. */
	dropped(gap: GapNotice): void;
}

/** One call of `subscribe()`: its handlers, until it is closed or fails. */
export class SubscriptionHandle {
	readonly topic: string;
	readonly options: SubscriptionOptions;
	/** What `subscribe()` returns. */
	readonly pending: PendingSubscription;
	readonly #failures: Failures;
	readonly #events: SubscriptionEvents;
	readonly #promise: WatchedPromise<Subscription>;
	readonly #subscription: Subscription;
	readonly #abort = (): void => void this.close(this.options.signal?.reason as Error);
	readonly #failed = (error: unknown): void => this.#failures.report(error, 'handler');
	#resolve!: (subscription: Subscription) => void;
	#reject!: (error: Error) => void;
	#isOpen = true;
	#isConfirmed = false;
	/** The messages that wait for a loop; undefined if there is an `onMessage` and no loop. */
	#buffer: MessageBuffer | undefined;
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(topic: string, options: SubscriptionOptions, failures: Failures, events: SubscriptionEvents) {
		this.topic = topic;
		this.options = options;
		this.#failures = failures;
		this.#events = events;
		this.#promise = new WatchedPromise((resolve, reject) => {
			this.#resolve = resolve;
			this.#reject = reject;
		});
		this.#subscription = {
			topic,
			close: () => this.close(),
			[Symbol.asyncIterator]: () => (this.#buffer ??= this.#newBuffer()).read(() => void this.close()),
		};
		this.pending = Object.assign(this.#promise, this.#subscription);
		const { onMessage, signal, timeoutMs } = options;
		if (onMessage === undefined) this.#buffer = this.#newBuffer();
		if (timeoutMs !== undefined) this.#timer = setTimeout(() => this.#expired(timeoutMs), timeoutMs);
		signal?.addEventListener('abort', this.#abort);
		if (signal?.aborted === true) this.#abort();
	}

	/** Whether the subscription has neither been closed nor failed. */
	get isOpen(): boolean {
		return this.#isOpen;
	}

	/** Called when the server has confirmed the topic. */
	confirm(): void {
		if (!this.#isOpen) return;
		this.#isConfirmed = true;
		clearTimeout(this.#timer);
		this.#buffer?.confirmed();
		this.#resolve(this.#subscription);
	}

	message(envelope: Envelope): void {
		if (!this.#isOpen) return;
		const { message } = this.options;
		if (message !== undefined && message.name !== envelope.name) return;
		this.#call('onMessage', envelope.data, envelope);
		this.#buffer?.add(envelope);
	}

	gap(gap: GapNotice): void {
		if (this.#isOpen) this.#call('onGap', gap);
	}

	recovered(recovered: Recovered): void {
		if (this.#isOpen) this.#call('onRecovered', recovered);
	}

	/** Ends the subscription, because the server has refused the topic. */
	refuse(error: SocketRequestError): void {
		if (!this.#isOpen) return;
		this.fail(error, this.#isConfirmed || this.options.onRefused !== undefined);
		this.#call('onRefused', error);
	}

	/** Ends the subscription with an error. @param isKnown whether somebody learns of it in another way */
	fail(error: Error, isKnown = false): void {
		if (!this.#isOpen) return;
		this.#end(error);
		this.#buffer?.end(error);
		if (isKnown) return;
		// A caller needs a few microtasks to reach the promise.
		setTimeout(() => {
			if (!this.#promise.isAwaited && this.#buffer?.isRead !== true) this.#failures.report(error, 'subscribe');
		});
	}

	/** Closes the subscription. @param reason the error of the promise, if the subscription is not confirmed yet */
	close(reason?: Error): Promise<void> {
		if (this.#isOpen) this.#end(reason ?? this.#error('closed', 'it was closed before the server confirmed it'));
		this.#buffer?.end();
		return this.#events.closed(this);
	}

	#expired(timeoutMs: number): void {
		this.fail(this.#error('timeout', `it was not confirmed within ${timeoutMs} ms`));
		void this.#events.closed(this);
	}

	#end(error: Error): void {
		this.#isOpen = false;
		clearTimeout(this.#timer);
		this.options.signal?.removeEventListener('abort', this.#abort);
		this.#reject(error);
	}

	#error(code: string, message: string): SocketRequestError {
		return new SocketRequestError(`${BuiltIn.subscribe} ${this.topic}`, code, message);
	}

	#call(name: 'onMessage' | 'onGap' | 'onRecovered' | 'onRefused', argument: unknown, envelope?: Envelope): void {
		try {
			const result = this.options[name]?.(argument as never, envelope as never);
			if (result instanceof Promise) result.catch(this.#failed);
		} catch (error) {
			this.#failed(error);
		}
	}

	#newBuffer(): MessageBuffer {
		return new MessageBuffer(this.options.buffer ?? 1_000, (gap) => {
			this.#events.dropped(gap);
			this.#call('onGap', gap);
		});
	}
}
