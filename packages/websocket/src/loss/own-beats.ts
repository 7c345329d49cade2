import type { BeatStore, BusLiveness } from '../bus.ts';
import { type Counts, encodeEntry } from '../wire/digest.ts';
import { type Beat, encodeBeat, encodeDigestHeader, type Sender } from '../wire/frame.ts';
import type { Skews } from '../wire/skews.ts';
import type { BeatContent } from './bus-heartbeat.ts';
import { DIGEST_EVERY_MS, FORGET_AFTER_MS, SILENT_AFTER_MS } from './beat-timing.ts';

/** For how long digests are still wanted once this node's beats are no longer collected, in milliseconds. */
const DIGESTS_AFTER_MS = 3 * DIGEST_EVERY_MS;

export interface OwnBeatsOptions {
	/** Returns the sender, as it is written into this node's frames on a channel. */
	readonly sender: (channel: string) => Sender;
	readonly skews: () => Skews;
	readonly counts: () => Counts;
	/** Returns where beats are collected; undefined if the backend can't. */
	readonly store: () => BeatStore | undefined;
	/** See {@link BusLiveness.connection}. */
	readonly connection: NonNullable<BusLiveness['connection']>;
	/** Whether this node's beats must be collected. */
	readonly mustCollect: () => boolean;
	/** The longest time since the last digest of all nodes, in milliseconds, after which a beat causes another one. */
	readonly digestEveryMs: (channel: string) => number;
	readonly isSubscribed: (channel: string) => boolean;
	/** Publishes a frame; rejects when the backend has not accepted it. */
	readonly publish: (channel: string, frame: Uint8Array) => Promise<unknown>;
}

/** How this node's beats on one shard are published. Times are of the monotonic clock. */
interface ShardMode {
	/** Whether beats go to the node's own channel. */
	isOwn: boolean;
	/** See {@link Beat.sharedFrom}. */
	sharedFrom: number;
	/** When the last beat was accepted. */
	acceptedAt: number;
	/** When beats were last collected. */
	collectedAt: number;
	/** The connection that the last beat was accepted on, if it is known: see {@link BusLiveness.connection}. */
	connection: number | undefined;
	/** See {@link Beat.run}. */
	run: number;
	/** The number of the last beat that was accepted. */
	accepted: number;
}

/**
 * Publishes this node's beats: to the heartbeat channel, where all nodes receive them; or, if they are collected, to a
 * channel of its own, so that digests tell the others of them.
 */
export class OwnBeats {
	readonly #options: OwnBeatsOptions;
	/** By heartbeat channel. */
	readonly #shards = new Map<string, ShardMode>();

	constructor(options: OwnBeatsOptions) {
		this.#options = options;
	}

	/** Returns whether beats on a shard are collected, so that digests arrive. */
	areCollected(channel: string): boolean {
		return this.#shards.get(channel)?.isOwn === true;
	}

	/** Forgets how beats were published: this node stops. */
	reset(): void {
		this.#shards.clear();
	}

	/** Publishes a beat; rejects when the backend has not accepted it. */
	async publish(channel: string, content: BeatContent): Promise<void> {
		const { store, mustCollect, isSubscribed, publish } = this.#options;
		const now = performance.now();
		const shard = this.#shard(channel);
		const beats = store();
		const sender = this.#options.sender(channel);
		const own = beats?.ownChannel(channel, sender.origin);
		const mustBeOwn = own !== undefined && !content.isLast && mustCollect() && isSubscribed(own);
		if (shard.isOwn && !mustBeOwn) {
			shard.isOwn = false;
			shard.sharedFrom = content.number;
		}
		// The last beat that the others receive by itself tells them so.
		const endsShared = mustBeOwn && !shard.isOwn;
		if (mustBeOwn) shard.collectedAt = now;
		const connection = this.#options.connection(channel);
		const isSame = connection !== undefined && connection === shard.connection;
		const run = isSame && shard.accepted === content.number - 1 ? shard.run + 1 : 1;
		const skews = this.#options.skews();
		const counts = this.#options.counts();
		const beat: Omit<Beat, keyof Sender | 'type'> = {
			...content,
			skews,
			counts,
			sharedFrom: shard.sharedFrom,
			endsShared,
			pauseMs: now - shard.acceptedAt,
			run,
		};
		const frame = encodeBeat(sender, beat);
		if (beats === undefined) {
			await publish(channel, frame);
		} else {
			const { origin, incarnation } = sender;
			const { number, sentAt } = content;
			await beats[content.isLast ? 'remove' : 'beat'](channel, {
				origin,
				number,
				incarnation,
				run,
				channel: shard.isOwn ? (own ?? channel) : channel,
				frame,
				entry: encodeEntry({ origin, number, incarnation, sentAt, pauseMs: beat.pauseMs, counts }),
				digestHeader: encodeDigestHeader(sender, skews),
				isCollected: now - shard.collectedAt <= DIGESTS_AFTER_MS,
				digestEveryMs: this.#options.digestEveryMs(channel),
				silentAfterMs: SILENT_AFTER_MS,
				forgetAfterMs: FORGET_AFTER_MS,
			});
		}
		shard.acceptedAt = performance.now();
		// If it was sent a second time, that was over the next connection.
		shard.connection = this.#options.connection(channel) === connection ? connection : undefined;
		shard.run = run;
		shard.accepted = content.number;
		if (endsShared) shard.isOwn = true;
	}

	#shard(channel: string): ShardMode {
		let shard = this.#shards.get(channel);
		if (shard === undefined) {
			shard = {
				isOwn: false,
				sharedFrom: 1,
				acceptedAt: -Infinity,
				collectedAt: -Infinity,
				connection: undefined,
				run: 0,
				accepted: 0,
			};
			this.#shards.set(channel, shard);
		}
		return shard;
	}
}
