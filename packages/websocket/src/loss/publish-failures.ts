import type { Bus } from '../bus.ts';
import { BusUnavailableError } from '../errors.ts';
import { BROADCAST_CHANNEL } from '../wire/channel-names.ts';
import { encodeGap, type Origin, type Sender } from '../wire/frame.ts';
import { OutgoingGapNotices } from './outgoing-gap-notices.ts';
import { Unpublished, type UnpublishedSpan, type UnpublishedSpans } from './unpublished.ts';

/** How often a failing shard is reported at most, in milliseconds. */
const REPORT_INTERVAL_MS = 1_000;

export interface PublishFailuresOptions {
	readonly bus: Bus;
	/** This node. */
	readonly origin: Origin;
	/** Called when publishing begins to fail, not for every message. */
	readonly onError: (error: Error) => void;
	/** Returns the topics to which messages were stored since a time of the monotonic clock, or 'all' if it was many. */
	readonly storedSince: (time: number) => readonly string[] | 'all';
}

/** Keeps track of what this node could not publish, and tells the other nodes as soon as they can be reached. */
export class PublishFailures {
	readonly #options: PublishFailuresOptions;
	readonly #unpublished = new Unpublished();
	readonly #notices: OutgoingGapNotices;
	/** By shard: how often publishing began to fail, whether it fails now, and when that was last reported. */
	readonly #incarnations: number[] = [];
	readonly #failing: boolean[] = [];
	readonly #reportedAt: number[] = [];
	/** The number of notices that the backend has not answered yet. */
	#sending = 0;
	#told: PromiseWithResolvers<void> | undefined;

	constructor(options: PublishFailuresOptions) {
		this.#options = options;
		this.#notices = new OutgoingGapNotices(this.#unpublished, options.bus.liveness !== undefined);
	}

	/** Returns the marker that this node's frames on the channel carry. */
	sender(channel: string): Sender {
		const shard = this.#shardOf(channel);
		return { origin: this.#options.origin, shard, incarnation: this.#incarnations[shard] ?? 0 };
	}

	/** The backend accepted a frame: the shard works, and pending gap notices can be sent. */
	succeeded(channel: string): void {
		this.#failing[this.#shardOf(channel)] = false;
		this.#send(this.#notices.fresh());
	}

	/**
	 * The backend did not accept a frame.
	 *
	 * @param since no later than the first of its messages, in milliseconds since the epoch
	 * @returns the error for those who wait for its messages
	 */
	failed(channel: string, cause: Error, since: number): BusUnavailableError {
		const error = new BusUnavailableError(channel, { cause });
		const shard = this.#shardOf(channel);
		this.#unpublished.add(channel, { since, until: Date.now() });
		if (this.#failing[shard] !== true) {
			this.#failing[shard] = true;
			this.#incarnations[shard] = (this.#incarnations[shard] ?? 0) + 1;
			this.#report(shard, error);
		}
		return error;
	}

	/** Frames that the backend accepted since then, in milliseconds since the epoch, may have reached no other node. */
	undelivered(since: number): void {
		const until = Date.now();
		const stored = this.#options.storedSince(performance.now() - (until - since));
		this.#unpublished.addAll({ since, until, stored: stored === 'all' });
		if (stored === 'all') return;
		for (const topic of stored) this.#unpublished.add(topic, { since, until, stored: true });
	}

	/** The backend accepted a beat. @param repeat whether it is the first one of its tick */
	beatAccepted(repeat: boolean): void {
		if (repeat) for (const spans of this.#notices.due()) this.#send(spans);
		this.#send(this.#notices.fresh());
		this.#settle();
	}

	/** Whether the backend has accepted a notice for everything that could not be published. */
	get areTold(): boolean {
		return this.#unpublished.isEmpty && this.#sending === 0;
	}

	/** Resolves once every notice was accepted, and repeated as often as it has to be. */
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

	/** Where some messages get through and others do not, a shard fails again and again. */
	#report(shard: number, error: Error): void {
		const now = Date.now();
		if (now - (this.#reportedAt[shard] ?? 0) < REPORT_INTERVAL_MS) return;
		this.#reportedAt[shard] = now;
		this.#options.onError(error);
	}

	#send(spans: UnpublishedSpans | undefined): void {
		if (spans === undefined) return;
		const { channels, everything } = spans;
		if (everything !== undefined) this.#sendNotice(BROADCAST_CHANNEL, everything, true);
		for (const [channel, span] of channels) this.#sendNotice(channel, span, false);
	}

	#sendNotice(channel: string, span: UnpublishedSpan, everything: boolean): void {
		const notice = encodeGap(this.sender(channel), { stored: false, ...span, everything, sentAt: Date.now() });
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
