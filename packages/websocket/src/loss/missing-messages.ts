import type { BusLiveness } from '../bus.ts';
import type { SubscriptionLostError } from '../errors.ts';
import type { Histories } from '../history/histories.ts';
import { APPENDED_WITHIN_MS } from '../history/history-store.ts';
import { isTopic } from '../protocol/topic.ts';
import { BROADCAST_CHANNEL, socketOfChannel } from '../wire/channel-names.ts';
import type { Watermark } from '../provider-contract.ts';
import type { Beat, GapNotice, Origin, Sender } from '../wire/frame.ts';
import { type BusHeartbeat, DEFAULT_HEARTBEAT_MS } from './bus-heartbeat.ts';
import type { GapEvents } from './gap-events.ts';
import { ClockSkews } from './clock-skews.ts';
import type { Accounted, PeerBeats } from './peer-beats.ts';
import { ReceivedGapNotices } from './received-gap-notices.ts';
import type { Span } from './unpublished.ts';

/** The channels this node is subscribed to at the backend, and whose frames arrive. */
export interface LiveChannels {
	live(): Iterable<string>;
	isLive(channel: string): boolean;
}

/**
 * How long before it was stored a message may have been published, in milliseconds: an append takes that long at most,
 * and may have to wait for another one.
 */
const STORED_LATE_MS = 2 * APPENDED_WITHIN_MS;

/** A node that lags by more than this many heartbeat intervals may be missing messages. */
const LAG_BEATS = 2;

export interface MissingMessagesOptions {
	/** This node. */
	readonly origin: Origin;
	readonly channels: LiveChannels;
	readonly peers: PeerBeats;
	readonly gaps: GapEvents;
	/** Both are undefined where the bus has no liveness. */
	readonly liveness: BusLiveness | undefined;
	readonly heartbeat: BusHeartbeat | undefined;
	/** Topics with history are read again instead of getting a gap. */
	readonly histories: Histories | undefined;
	readonly onError: (error: Error) => void;
}

/** Decides that messages may be missing: in which topics, from when to when. */
export class MissingMessages {
	readonly #options: MissingMessagesOptions;
	readonly #notices = new ReceivedGapNotices();
	readonly #skews = new ClockSkews();

	constructor(options: MissingMessagesOptions) {
		this.#options = options;
	}

	/** The bus was interrupted and has resubscribed. */
	interrupted(channels: readonly string[] | 'all', since: number, reason: string): void {
		const { heartbeat, peers } = this.#options;
		const now = performance.now();
		const until = Date.now();
		const provenUntil = heartbeat === undefined ? since : this.#wallTime(heartbeat.provenAt());
		const begin = Math.min(since, until, provenUntil - this.#slackMs);
		const span = this.#byAllClocks(begin, until);
		let from = span.since;
		let storedFrom = span.since;
		for (const channel of this.#heartbeatChannels(channels)) {
			heartbeat?.rebase(channel);
			for (const { arrived, isOverdue } of peers.interrupted(this.#shardOf(channel), now - (until - begin), now)) {
				const since = Math.min(arrived.sentAt, this.#wallTime(arrived.at)) - this.#slackMs;
				storedFrom = Math.min(storedFrom, since);
				if (!isOverdue) from = Math.min(from, since);
			}
		}
		this.#mayBeMissing(this.#affected(channels), Math.floor(from), span.until, reason, {
			storedSince: Math.floor(storedFrom),
		});
	}

	/**
	 * Returns since when this node may have been on another server than the others, if it was on a wrong one until now
	 * and its bus trusted that server at a time. Being a primary does not prove that the others are there as well.
	 *
	 * @param trusted in milliseconds since the epoch, as the result
	 */
	misledSince(trusted: number): number {
		const { liveness, peers } = this.#options;
		const now = performance.now();
		const heard = (liveness?.heartbeatChannels() ?? []).map((channel) =>
			peers.arrivedUntil(this.#shardOf(channel), now),
		);
		return Math.floor(Math.min(trusted, ...heard.map((at) => this.#wallTime(at) - this.#slackMs)));
	}

	/**
	 * Reports at once all gaps, including one up to now if this node can't vouch for what others have published.
	 *
	 * @param disconnectedAt as for `watermark`
	 */
	flush(disconnectedAt: number | undefined): void {
		const now = performance.now();
		const lagMs = now - this.#accountedAt(now, disconnectedAt);
		const until = Date.now();
		if (lagMs > LAG_BEATS * this.#intervalMs) {
			const reason = 'this node is stopping before it could tell what it had missed';
			this.#mayBeMissingAnywhere(this.#affected('all'), until - lagMs - this.#slackMs, until, reason);
		}
		this.#options.gaps.flush();
	}

	/** A beat arrived, of this node or another one. */
	beat(channel: string, beat: Beat): void {
		const { origin, heartbeat, peers } = this.#options;
		if (beat.origin === origin) {
			heartbeat?.received(channel, beat.number);
			return;
		}
		this.#skews.observe(beat);
		const now = performance.now();
		const missedSince = peers.received(beat, now);
		if (missedSince === undefined) return;
		const { since, until } = this.#spanOf(missedSince, now, beat.sentAt);
		const reason = 'beats of another node were missed, and perhaps its messages';
		this.#mayBeMissing(this.#affected(this.#channelsOf(beat.shard)), since, until, reason);
	}

	/** Reports once what nodes that fell silent may have been unable to publish. Called once per heartbeat interval. */
	checkSilentNodes(now: number): void {
		const { peers, liveness, heartbeat, histories, gaps } = this.#options;
		if (liveness === undefined || heartbeat === undefined) return;
		const channels = new Map(liveness.heartbeatChannels().map((channel) => [this.#shardOf(channel), channel]));
		const provenAt = (shard: number): number => {
			const channel = channels.get(shard);
			return channel === undefined ? -Infinity : heartbeat.provenAt(channel);
		};
		for (const { shard, since: silentSince } of peers.givenUp(provenAt, now)) {
			const { since, until } = this.#spanOf(silentSince, now);
			// What could not be stored was not published: topics with history miss nothing.
			const topics = [...this.#affected(this.#channelsOf(shard))].filter((topic) => !histories?.boundsOf(topic));
			gaps.add(topics, since, until, 'another node fell silent, and may have been unable to publish');
		}
	}

	/** Another node could not publish. */
	gapNotice(channel: string, { origin, everything, stored, since, until, sentAt }: GapNotice): void {
		const now = Date.now();
		if (!this.#notices.isNew(`${origin} ${channel} ${since} ${until}`, now)) return;
		// The span by the other node's clock, which stamped the messages, and by this one's. The difference between now
		// and `sentAt` is the skew and the delay of the notice: at the begin, only the skew may count.
		const skew = Math.min(now - sentAt, this.#skews.of(origin) ?? 0);
		const affected = this.#affected(everything ? 'all' : [channel]);
		const begin = Math.floor(Math.min(since, since + skew) - this.#slackMs);
		const end = Math.max(until, until + now - sentAt);
		const reason = 'another node could not publish';
		const endedAt = performance.now() - Math.max(0, sentAt - until);
		if (stored) this.#options.gaps.add(affected, begin, end, reason, endedAt);
		else this.#mayBeMissing(affected, begin, end, reason, { endedAt });
	}

	/**
	 * The backend refused to subscribe to a channel again, since then and until now.
	 *
	 * @param error set while it still refuses
	 */
	refused(channel: string, since: number, error?: SubscriptionLostError): void {
		if (error !== undefined) this.#options.onError(error);
		const topics = isTopic(channel) ? [channel] : this.#affected([channel]);
		this.#mayBeMissingAnywhere(topics, since - this.#slackMs, Date.now(), 'the backend refuses the topic');
	}

	/** Messages of a topic with history can't be recovered. */
	unrecoverable(topic: string, since: number, reason: string): void {
		const span = this.#byAllClocks(since - STORED_LATE_MS - this.#slackMs, Date.now());
		this.#options.gaps.report({ topic, ...span, reason });
	}

	/** @param disconnectedAt since when the bus is not ready, by the monotonic clock; undefined while it is */
	watermark(disconnectedAt: number | undefined): Watermark {
		const now = performance.now();
		const at = Math.min(this.#options.gaps.reportedUntil(now), this.#accountedAt(now, disconnectedAt));
		const { least, most } = this.#skews.range();
		return { lagMs: Math.ceil(now - at), clocksBehindMs: Math.ceil(most), clocksAheadMs: this.#aheadMs(least) };
	}

	/** Returns the time up to which everything has arrived or is known to be missing, by the monotonic clock. */
	#accountedAt(now: number, disconnectedAt: number | undefined): number {
		const { heartbeat, liveness, peers } = this.#options;
		let at = Math.min(disconnectedAt ?? now, heartbeat?.provenAt() ?? now);
		for (const channel of liveness?.heartbeatChannels() ?? [])
			at = Math.min(at, peers.accountedAt(this.#shardOf(channel), now));
		return at;
	}

	/** Whether a frame was sent over a connection that has failed since, so that it belongs to a gap. */
	isLate(sender: Sender): boolean {
		return this.#options.peers.isLate(sender);
	}

	/** A frame arrived that another release has written: what it carries is missing. */
	unreadable(channel: string): void {
		const { heartbeat } = this.#options;
		const now = Date.now();
		const since = (heartbeat === undefined ? now : this.#wallTime(heartbeat.provenAt())) - this.#slackMs;
		this.#mayBeMissingAnywhere(this.#affected([channel]), since, now, 'another node runs another release');
	}

	/** As {@link #mayBeMissing}, for a span of this node's clock and messages that any node may have stamped. */
	#mayBeMissingAnywhere(topics: Iterable<string>, since: number, until: number, reason: string): void {
		const span = this.#byAllClocks(since, until);
		this.#mayBeMissing(topics, span.since, span.until, reason);
	}

	/** Returns a span of this node's clock, widened so that it holds by the clocks of all nodes. */
	#byAllClocks(since: number, until: number): Span {
		const { least, most } = this.#skews.range();
		// This node's clock may have been set back.
		return { since: Math.floor(Math.min(since, until) - most), until: Math.ceil(until + this.#aheadMs(least)) };
	}

	/** By how much other clocks are ahead of this node's at most, in milliseconds. @param least the least skew */
	#aheadMs(least: number): number {
		// A skew is too large by the delay of a beat, so that of a clock that is ahead says too little.
		return least < 0 ? Math.ceil(this.#slackMs - least) : 0;
	}

	/**
	 * Returns the time from `from` to now, by this node's clock and by that of the other node that `from` belongs to.
	 *
	 * @param now by the monotonic clock
	 * @param sentAt the time now by the clock of the other node, if known; that clock may have been set since `from`
	 */
	#spanOf(from: Accounted, now: number, sentAt?: number): Span {
		const elapsedMs = now - from.at;
		const wall = Date.now();
		const until = Math.max(from.sentAt + elapsedMs, wall, sentAt ?? -Infinity);
		const since = Math.min(from.sentAt, wall - elapsedMs, sentAt === undefined ? Infinity : sentAt - elapsedMs);
		return { since: Math.floor(since - this.#slackMs), until: Math.ceil(until) };
	}

	/** A time of the monotonic clock, as long ago by the clock of the day. */
	#wallTime(at: number): number {
		return Date.now() - (performance.now() - at);
	}

	#shardOf(channel: string): number {
		return this.#options.liveness?.shardOf(channel) ?? 0;
	}

	#channelsOf(shard: number): string[] {
		return [...this.#options.channels.live()].filter((channel) => this.#shardOf(channel) === shard);
	}

	/** The heartbeat channels among these. */
	#heartbeatChannels(channels: readonly string[] | 'all'): readonly string[] {
		const all = this.#options.liveness?.heartbeatChannels() ?? [];
		return channels === 'all' ? all : all.filter((channel) => channels.includes(channel));
	}

	/**
	 * @param options.storedSince the begin for topics with history, which get a gap only if something is found missing
	 * @param options.endedAt when the loss was over at the latest, by the monotonic clock; default now
	 */
	#mayBeMissing(
		topics: Iterable<string>,
		since: number,
		until: number,
		reason: string,
		{ storedSince = since, endedAt }: { readonly storedSince?: number; readonly endedAt?: number } = {},
	): void {
		const { histories, gaps } = this.#options;
		if (histories === undefined) return gaps.add(topics, since, until, reason, endedAt);
		const plain: string[] = [];
		for (const topic of topics) {
			if (histories.boundsOf(topic) === undefined) plain.push(topic);
			else histories.verify(topic, storedSince);
		}
		gaps.add(plain, since, until, reason, endedAt);
	}

	/** The topics of the channels. `*` stands for everything that is sent to sockets directly. */
	*#affected(channels: readonly string[] | 'all'): Generator<string> {
		let toSockets = false;
		for (const channel of channels === 'all' ? this.#options.channels.live() : channels) {
			if (!isTopic(channel)) toSockets ||= channel === BROADCAST_CHANNEL || socketOfChannel(channel) !== undefined;
			else if (this.#options.channels.isLive(channel)) yield channel;
		}
		if (toSockets) yield BROADCAST_CHANNEL;
	}

	/** How much earlier than the backend received it a message may have been published. */
	get #slackMs(): number {
		return this.#intervalMs / 2;
	}

	get #intervalMs(): number {
		return this.#options.heartbeat?.intervalMs ?? DEFAULT_HEARTBEAT_MS;
	}
}
