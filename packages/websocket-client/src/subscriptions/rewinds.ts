import type { Envelope, HistoryAnswer, Position, PositionNotice } from '@orijs/websocket/protocol';
import type { HistoryOptions } from '../requests/history.ts';
import type { SubscriptionHandle } from './subscription-handle.ts';
import type { Topic } from './topic.ts';

/** The most messages in one page. */
const PAGE = 1_000;
/** The most messages that may wait for the pages of a subscription. */
const MAX_HELD = 10_000;
/** Pages may take as long as a connection does. */
const NO_TIMEOUT = 2 ** 31 - 1;

/**
 * Gives each subscription the latest messages that it asked for by `rewind`, before the ones that follow them:
 *
 * - When the topic is requested, and after messages were lost, the server sends as many as any subscription asked for.
 *   They are held until the topic is confirmed, and then each subscription takes the last of them.
 * - A subscription that is added later requests the messages up to the topic's position as pages of the history. The
 *   ones that follow are held until it has them.
 */
export class Rewinds {
	readonly #history: (topic: string, options: HistoryOptions) => Promise<HistoryAnswer>;
	readonly #failed: (handle: SubscriptionHandle, error: unknown) => void;

	/**
	 * @param history requests a page of a topic's history
	 * @param failed called if the messages of a subscription could not be read; must end the subscription
	 */
	constructor(
		history: (topic: string, options: HistoryOptions) => Promise<HistoryAnswer>,
		failed: (handle: SubscriptionHandle, error: unknown) => void,
	) {
		this.#history = history;
		this.#failed = failed;
	}

	/** Called when a topic has a new subscription. */
	added({ position, saved, isConfirmed, isRewinding }: Topic, handle: SubscriptionHandle): void {
		// A topic that continues from a saved position is not rewound.
		if (!isConfirmed) handle.isRewindDue &&= saved === undefined;
		else if (handle.isRewindDue && !isRewinding) void this.#fetch(handle, position);
	}

	/** Passes a message to a topic's subscriptions, or holds it for them. */
	deliver({ subscriptions, isRewinding }: Topic, envelope: Envelope): void {
		for (const handle of subscriptions) {
			const { held, isRewindDue } = handle;
			if (held === undefined) {
				if (!isRewinding && !isRewindDue) handle.message(envelope);
			} else if (held.push(envelope) > MAX_HELD && !isRewindDue) {
				this.#failed(handle, new Error('Too many messages during a rewind'));
			}
		}
	}

	/** Called when the server has answered a request with the topic's position. */
	positioned(topic: Topic, { recovered, rewinding = false, count = 0 }: PositionNotice): void {
		topic.isRewinding = rewinding;
		if (recovered === undefined) return;
		for (const handle of topic.subscriptions) {
			if (!recovered && handle.options.rewind !== undefined) {
				this.#release(handle, handle.held);
				handle.isRewindDue = true;
				if (rewinding) handle.held = [];
			}
			handle.call('onRecovered', { recovered, count });
		}
	}

	/** Called when a topic is confirmed, after the gap, if any, was reported. */
	confirmed({ subscriptions, position }: Topic): void {
		for (const handle of subscriptions) {
			const { held, isRewindDue, options } = handle;
			if (!isRewindDue) continue;
			if (held === undefined) void this.#fetch(handle, position);
			else this.#release(handle, held.slice(-(options.rewind as number)));
		}
	}

	/** @param upTo the position of the last message; undefined if the topic has no history, which the server refuses */
	async #fetch(handle: SubscriptionHandle, upTo: Position | undefined): Promise<void> {
		const { topic, options } = handle;
		const { rewind = 0 } = options;
		const held: Envelope[] = (handle.held = []);
		handle.isRewindDue = false;
		let messages: Envelope[] = [];
		let hasMore = upTo?.offset !== 0;
		try {
			while (hasMore && messages.length < rewind) {
				const before = messages[0]?.position;
				const page = await this.#history(topic, {
					upTo: before === undefined ? upTo : undefined,
					before,
					limit: Math.min(rewind - messages.length, PAGE),
					timeoutMs: NO_TIMEOUT,
				});
				messages = [...page.messages, ...messages];
				hasMore = page.hasMore;
			}
			// Otherwise, it was closed, or messages were lost, and it rewinds again.
			if (handle.held !== held) return;
			handle.confirm();
			this.#release(handle, [...messages, ...held]);
		} catch (error) {
			if (handle.held === held) this.#failed(handle, error);
		}
	}

	#release(handle: SubscriptionHandle, messages: readonly Envelope[] = []): void {
		handle.held = undefined;
		handle.isRewindDue = false;
		for (const envelope of messages) handle.message(envelope);
	}
}
