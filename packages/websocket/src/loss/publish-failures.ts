import type { Bus } from '../bus.ts';
import { BusUnavailableError } from '../errors.ts';
import { BROADCAST_CHANNEL, isNodeChannel } from '../wire/channel-names.ts';
import { encodeGap, type Origin, type Sender } from '../wire/frame.ts';
import { OutgoingGapNotices } from './outgoing-gap-notices.ts';
import { type Span, Unpublished, type UnpublishedSpan, type UnpublishedSpans } from './unpublished.ts';

export interface PublishFailuresOptions {
	readonly bus: Bus;
	/** This node. */
	readonly origin: Origin;
	/** Called when publishing on a shard starts to fail, not for every message. */
	readonly onError: (error: Error) => void;
}

/** Records what this node could not publish, and sends the other nodes gap notices about it as soon as possible. */
export class PublishFailures {
	readonly #options: PublishFailuresOptions;
	readonly #unpublished = new Unpublished();
	readonly #notices: OutgoingGapNotices;
	/** How many times publishing has started to fail, by shard. */
	readonly #incarnations: number[] = [];
	/** Whether publishing currently fails, by shard. */
	readonly #failing: boolean[] = [];
	/** The number of notices that the backend has neither accepted nor refused yet. */
	#sending = 0;
	#told: PromiseWithResolvers<void> | undefined;

	constructor(options: PublishFailuresOptions) {
		this.#options = options;
		this.#notices = new OutgoingGapNotices(this.#unpublished, options.bus.liveness !== undefined);
	}

	/** Returns the sender, as it is written into this node's frames on a channel. */
	sender(channel: string): Sender {
		const shard = this.#shardOf(channel);
		return { origin: this.#options.origin, shard, incarnation: this.#incarnations[shard] ?? 0 };
	}

	/** Called when the backend has accepted a frame: the shard works, and pending gap notices can be sent. */
	succeeded(channel: string): void {
		this.#failing[this.#shardOf(channel)] = false;
		this.#send(this.#notices.fresh());
	}

	/**
	 * Called when the backend has not accepted a frame.
	 *
	 * @param since when the frame's first message was published, or earlier, in milliseconds since the epoch
	 * @returns the error with which the promises of the frame's messages reject
	 */
	failed(channel: string, cause: Error, since: number): BusUnavailableError {
		const error = new BusUnavailableError(channel, { cause });
		const shard = this.#shardOf(channel);
		// The sender of a message to a node notices that no reply comes. Clients can name any number of nodes in replies.
		if (!isNodeChannel(channel)) this.#unpublished.add(channel, { since, until: Date.now() });
		if (this.#failing[shard] !== true) {
			this.#failing[shard] = true;
			this.#incarnations[shard] = (this.#incarnations[shard] ?? 0) + 1;
			this.#options.onError(error);
		}
		return error;
	}

	/**
	 * Called when frames that the backend accepted in a time span may have reached no other node.
	 *
	 * @param stored the topics with history to which messages were stored in that time, or 'all' if they are not known
	 */
	undelivered(span: Span, stored: readonly string[] | 'all'): void {
		this.#unpublished.addAll({ ...span, stored: stored === 'all', misled: stored.length > 0 });
		if (stored === 'all') return;
		for (const topic of stored) this.#unpublished.add(topic, { ...span, stored: true });
	}

	/**
	 * Called when the backend has accepted a beat.
	 *
	 * @param repeat whether to repeat earlier notices; true for the first accepted beat of each tick
	 */
	beatAccepted(repeat: boolean): void {
		if (repeat) for (const spans of this.#notices.due()) this.#send(spans);
		this.#send(this.#notices.fresh());
		this.#settle();
	}

	/** Called when another node has started. Other nodes recognize what they have received before. */
	nodeStarted(): void {
		for (const spans of this.#notices.forNewNode()) this.#send(spans);
	}

	/** Whether the backend has accepted a notice for everything that this node could not publish. */
	get areTold(): boolean {
		return this.#unpublished.isEmpty && this.#sending === 0;
	}

	/** Sends pending notices. Resolves once the backend has accepted every notice and all of its repetitions. */
	told(): Promise<void> {
		this.#told ??= Promise.withResolvers();
		this.#send(this.#notices.fresh());
		this.#settle();
		return this.#told.promise;
	}

	#settle(): void {
		if (this.areTold && !this.#notices.areRepeating) this.#told?.resolve();
	}

	#shardOf(channel: string): number {
		return this.#options.bus.liveness?.shardOf(channel) ?? 0;
	}

	#send(spans: UnpublishedSpans | undefined): void {
		if (spans === undefined) return;
		const { channels, everything } = spans;
		if (everything !== undefined) this.#sendNotice(BROADCAST_CHANNEL, everything, true);
		for (const [channel, span] of channels) this.#sendNotice(channel, span, false);
	}

	#sendNotice(channel: string, span: UnpublishedSpan, everything: boolean): void {
		const notice = encodeGap(this.sender(channel), {
			stored: false,
			misled: false,
			...span,
			everything,
			sentAt: Date.now(),
		});
		this.#sending++;
		this.#options.bus
			.publish(channel, notice)
			.catch(() => {
				if (everything) this.#unpublished.addAll(span);
				else this.#unpublished.add(channel, span);
			})
			.finally(() => {
				this.#sending--;
				this.#settle();
			});
	}
}
