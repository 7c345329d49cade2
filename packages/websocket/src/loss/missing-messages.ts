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
import { wallTime } from '../support/wall-time.ts';
import { ClockSkews } from './clock-skews.ts';
import { MisledSpans } from './misled-spans.ts';
import type { Accounted, PeerBeats } from './peer-beats.ts';
import { RecentLosses } from './recent-losses.ts';
import { ReceivedGapNotices } from './received-gap-notices.ts';
import type { Span } from './unpublished.ts';

/** The channels that this node is subscribed to at the backend, so that their frames arrive. */
export interface LiveChannels {
	live(): Iterable<string>;
	isLive(channel: string): boolean;
}

/**
 * The longest time from publishing a message to storing it, in milliseconds. An append takes at most
 * `APPENDED_WITHIN_MS`, but can first have to wait for another append that takes as long.
 */
const STORED_LATE_MS = 2 * APPENDED_WITHIN_MS;

/** The time since which a node may have been on a wrong server. */
export interface MisledSince {
	/** By the monotonic clock. */
	readonly at: number;
	/** The span from then until now, by the clock of that node, even if the clock was set in between. */
	readonly span: Span;
}

/** When this node stops, a lag of more than this many heartbeat intervals is reported as a gap. */
const LAG_BEATS = 2;

export interface MissingMessagesOptions {
	/** This node. */
	readonly origin: Origin;
	readonly channels: LiveChannels;
	readonly peers: PeerBeats;
	readonly gaps: GapEvents;
	/** Undefined, as is `heartbeat`, if the bus has no liveness. */
	readonly liveness: BusLiveness | undefined;
	readonly heartbeat: BusHeartbeat | undefined;
	/** Reads the missing messages of topics with history, which then need no gap. */
	readonly histories: Histories | undefined;
	readonly onError: (error: Error) => void;
	/** Called at the first beat of another node. */
	readonly onNewNode: () => void;
}

/**
 * Decides in which topics messages may be missing, and from which time span. Reports a gap for topics without history,
 * and has topics with history read again.
 */
export class MissingMessages {
	readonly #options: MissingMessagesOptions;
	readonly #notices = new ReceivedGapNotices();
	readonly #skews = new ClockSkews();
	readonly #misled = new MisledSpans();
	/** The topics with history that have lost messages lately. */
	readonly #lost = new RecentLosses();

	constructor(options: MissingMessagesOptions) {
		this.#options = options;
	}

	/** Called when the bus was interrupted and has resubscribed: frames on `channels` may be missing since `since`. */
	interrupted(channels: readonly string[] | 'all', since: number, reason: string): void {
		const { heartbeat, peers } = this.#options;
		const now = performance.now();
		const until = Date.now();
		const provenUntil = heartbeat === undefined ? since : wallTime(heartbeat.provenAt());
		const begin = Math.min(since, until, provenUntil - this.#slackMs);
		const span = this.#byAllClocks(begin, until);
		let from = span.since;
		let storedFrom = span.since;
		for (const channel of this.#heartbeatChannels(channels)) {
			heartbeat?.rebase(channel);
			for (const { arrived, isOverdue } of peers.interrupted(this.#shardOf(channel), now - (until - begin), now)) {
				const since = Math.min(arrived.sentAt, wallTime(arrived.at)) - this.#slackMs;
				storedFrom = Math.min(storedFrom, since);
				if (!isOverdue) from = Math.min(from, since);
			}
		}
		this.#mayBeMissing(this.#affected(channels), Math.floor(from), span.until, reason, {
			storedSince: Math.floor(storedFrom),
		});
	}

	/**
	 * Returns the time since which this node may have been on a different server than the other nodes. Called when its
	 * server has turned out to be a wrong one. The result can be earlier than `trusted`: that a server was a primary
	 * does not prove that the other nodes used it. Only beats from them prove that.
	 *
	 * @param trusted when the bus last trusted the wrong server, in milliseconds since the epoch
	 */
	misledSince(trusted: number): MisledSince {
		const { liveness, peers } = this.#options;
		const now = performance.now();
		const heard = (liveness?.heartbeatChannels() ?? []).map((channel) =>
			peers.arrivedUntil(this.#shardOf(channel), now),
		);
		const at = Math.min(now - (Date.now() - trusted), ...heard.map((each) => each - this.#slackMs));
		const { least, most } = this.#skews.ownSettingsSince(at);
		return { at, span: { since: Math.floor(at + least), until: Math.ceil(now + most) } };
	}

	/**
	 * Called when this node has stored messages of some topics on a wrong server. Its own sockets have received them.
	 * Sockets that come from other nodes have not.
	 */
	storedElsewhere(topics: readonly string[] | 'all', { since, until }: Span): void {
		if (topics.length === 0) return;
		this.#misled.add({ since, until });
		this.#options.gaps.add(this.#affected(topics), since, until, 'this node was connected to a wrong server');
	}

	/** The time in which nodes lately stored messages on a wrong server; undefined if none did. */
	get misledSpan(): Span | undefined {
		return this.#misled.all;
	}

	/**
	 * Reports all gaps immediately. If this node lags too far behind to know what others have published, that includes a
	 * gap up to now in every topic.
	 *
	 * @param disconnectedAt as for `watermark`
	 */
	flush(disconnectedAt: number | undefined): void {
		const now = performance.now();
		const lagMs = now - this.#accountedAt(now, disconnectedAt);
		const until = Date.now();
		if (lagMs > LAG_BEATS * this.#intervalMs) {
			const reason = 'this node stopped before it could tell whether it had missed messages';
			this.#mayBeMissingAnywhere(this.#affected('all'), until - lagMs - this.#slackMs, until, reason);
		}
		this.#options.gaps.flush();
	}

	/** Called when a beat has arrived, from this node or from another one. */
	beat(channel: string, beat: Beat): void {
		const { origin, heartbeat, peers } = this.#options;
		if (beat.origin === origin) {
			heartbeat?.received(channel, beat.number);
			return;
		}
		this.#skews.observe(beat);
		const now = performance.now();
		const isNew = !peers.knows(beat.origin);
		const missedSince = peers.received(beat, now);
		if (isNew) this.#options.onNewNode();
		if (missedSince === undefined) return;
		const { since, until } = this.#spanOf(missedSince, now, beat.sentAt);
		const reason = 'beats of another node were missed, so its messages may have been missed too';
		this.#mayBeMissing(this.#affected(this.#channelsOf(beat.shard)), since, until, reason);
	}

	/**
	 * Reports a gap for each node that fell silent, because it may have had messages that it could not publish. Reports
	 * each of these nodes only once. Called once per heartbeat interval.
	 */
	checkSilentNodes(now: number): void {
		const { peers, liveness, heartbeat, histories, gaps } = this.#options;
		if (liveness === undefined || heartbeat === undefined) return;
		// This notices whether this node's clock was set, even if no beat arrives for a long time.
		this.#skews.range();
		const channels = new Map(liveness.heartbeatChannels().map((channel) => [this.#shardOf(channel), channel]));
		const provenAt = (shard: number): number => {
			const channel = channels.get(shard);
			return channel === undefined ? -Infinity : heartbeat.provenAt(channel);
		};
		for (const { shard, since: silentSince } of peers.givenUp(provenAt, now)) {
			const { since, until } = this.#spanOf(silentSince, now);
			// On a topic with history, a message that could not be stored was not published. So nothing is missing there.
			const topics = [...this.#affected(this.#channelsOf(shard))].filter((topic) => !histories?.boundsOf(topic));
			gaps.add(topics, since, until, 'another node fell silent, and may have been unable to publish');
		}
	}

	/** Called when another node has reported that it could not publish for a time. */
	gapNotice(channel: string, { origin, everything, stored, misled, since, until, sentAt }: GapNotice): void {
		const now = Date.now();
		if (!this.#notices.isNew(`${origin} ${channel} ${since} ${until}`, now)) return;
		// The gap must cover the span by two clocks: the other node's, which stamped the messages, and this node's. The
		// clock skew plus the delay of the notice is `now - sentAt`. Only the skew may shift the start of the gap.
		const skew = Math.min(now - sentAt, this.#skews.of(origin) ?? 0);
		const affected = this.#affected(everything ? 'all' : [channel]);
		const begin = Math.floor(Math.min(since, since + skew) - this.#slackMs);
		const end = Math.max(until, until + now - sentAt);
		const reason = 'another node could not publish';
		const endedAt = performance.now() - Math.max(0, sentAt - until);
		if (misled) this.#misled.add({ since: begin, until: end });
		if (stored) this.#options.gaps.add(affected, begin, end, reason, endedAt);
		else this.#mayBeMissing(affected, begin, end, reason, { endedAt });
	}

	/**
	 * Called when the backend has refused to resubscribe a channel, so that its frames may be missing from `since` until
	 * now.
	 *
	 * @param error set if the backend still refuses; undefined once the channel is live again
	 */
	refused(channel: string, since: number, error?: SubscriptionLostError): void {
		if (error !== undefined) this.#options.onError(error);
		const topics = isTopic(channel) ? [channel] : this.#affected([channel]);
		const reason = 'the backend refused to resubscribe the topic';
		this.#mayBeMissingAnywhere(topics, since - this.#slackMs, Date.now(), reason);
	}

	/** Reports a gap in a topic with history, whose messages since `since` can't be recovered from the store. */
	unrecoverable(topic: string, since: number, reason: string): void {
		const span = this.#byAllClocks(since - STORED_LATE_MS - this.#slackMs, Date.now());
		this.#lost.add(topic, performance.now());
		this.#options.gaps.report({ topic, ...span, reason });
	}

	/**
	 * Returns how far this node lags behind the others, and how far their clocks differ from its own.
	 *
	 * @param disconnectedAt when the bus stopped being ready, by the monotonic clock; undefined if it is ready
	 */
	watermark(disconnectedAt: number | undefined): Watermark {
		const now = performance.now();
		const at = Math.min(this.#options.gaps.reportedUntil(now), this.#accountedAt(now, disconnectedAt));
		const { least, most } = this.#skews.range();
		return { lagMs: Math.ceil(now - at), clocksBehindMs: Math.ceil(most), clocksAheadMs: this.#aheadMs(least) };
	}

	/** Returns the time up to which every message has arrived or is known to be missing, by the monotonic clock. */
	#accountedAt(now: number, disconnectedAt: number | undefined): number {
		const { heartbeat, liveness, peers } = this.#options;
		let at = Math.min(disconnectedAt ?? now, heartbeat?.provenAt() ?? now);
		for (const channel of liveness?.heartbeatChannels() ?? [])
			at = Math.min(at, peers.accountedAt(this.#shardOf(channel), now));
		return at;
	}

	/**
	 * Returns whether a frame was sent over a connection that has since failed. Its messages belong to a reported gap.
	 */
	isLate(sender: Sender): boolean {
		return this.#options.peers.isLate(sender);
	}

	/**
	 * Called when a frame has arrived in the format of another release. It can't be decoded, so its messages are
	 * missing.
	 */
	unreadable(channel: string): void {
		const { heartbeat } = this.#options;
		const now = Date.now();
		const since = (heartbeat === undefined ? now : wallTime(heartbeat.provenAt())) - this.#slackMs;
		this.#mayBeMissingAnywhere(this.#affected([channel]), since, now, 'another node runs a different release');
	}

	/**
	 * Like {@link #mayBeMissing}, but `since` and `until` are by this node's clock, and the messages may have been
	 * stamped by any node's clock.
	 */
	#mayBeMissingAnywhere(topics: Iterable<string>, since: number, until: number, reason: string): void {
		const span = this.#byAllClocks(since, until);
		this.#mayBeMissing(topics, span.since, span.until, reason);
	}

	/** Widens a span that is by this node's clock, so that it covers the same time by the clocks of all nodes. */
	#byAllClocks(since: number, until: number): Span {
		const { least, most } = this.#skews.range();
		// If this node's clock was set back, `since` can be later than `until`.
		return { since: Math.floor(Math.min(since, until) - most), until: Math.ceil(until + this.#aheadMs(least)) };
	}

	/**
	 * Returns by how much the clock of another node can be ahead of this node's, at most, in milliseconds.
	 *
	 * @param least the least skew of all nodes
	 */
	#aheadMs(least: number): number {
		// A measured skew is too large by the delay of a beat. The skew of a clock that is ahead is negative, so this
		// error makes it look less far ahead than it is. The slack compensates for that.
		return least < 0 ? Math.ceil(this.#slackMs - least) : 0;
	}

	/**
	 * Returns the span from `from` to now. It covers that time by two clocks: this node's, and the clock of the other
	 * node that `from` is about.
	 *
	 * @param now by the monotonic clock
	 * @param sentAt the current time by the other node's clock, if known; that clock may have been set since `from`
	 */
	#spanOf(from: Accounted, now: number, sentAt?: number): Span {
		const elapsedMs = now - from.at;
		const wall = Date.now();
		const until = Math.max(from.sentAt + elapsedMs, wall, sentAt ?? -Infinity);
		const since = Math.min(from.sentAt, wall - elapsedMs, sentAt === undefined ? Infinity : sentAt - elapsedMs);
		return { since: Math.floor(since - this.#slackMs), until: Math.ceil(until) };
	}

	#shardOf(channel: string): number {
		return this.#options.liveness?.shardOf(channel) ?? 0;
	}

	#channelsOf(shard: number): string[] {
		return [...this.#options.channels.live()].filter((channel) => this.#shardOf(channel) === shard);
	}

	/** Returns the heartbeat channels among `channels`. */
	#heartbeatChannels(channels: readonly string[] | 'all'): readonly string[] {
		const all = this.#options.liveness?.heartbeatChannels() ?? [];
		return channels === 'all' ? all : all.filter((channel) => channels.includes(channel));
	}

	/**
	 * Reports a gap in topics without history, and has topics with history read again.
	 *
	 * @param options.storedSince the start of the span for topics with history, which get a gap only if reading them
	 * again shows that messages are missing; default `since`
	 * @param options.endedAt the latest time at which the loss ended, by the monotonic clock; default now
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
			// What is reported now may have been lost before it was known that this node had missed it.
			if (this.#lost.has(topic, performance.now())) plain.push(topic);
		}
		gaps.add(plain, since, until, reason, endedAt);
	}

	/**
	 * Yields the live topics among `channels`, and `*` if one of them carries messages that are sent directly to
	 * sockets.
	 */
	*#affected(channels: readonly string[] | 'all'): Generator<string> {
		let toSockets = false;
		for (const channel of channels === 'all' ? this.#options.channels.live() : channels) {
			if (!isTopic(channel)) toSockets ||= channel === BROADCAST_CHANNEL || socketOfChannel(channel) !== undefined;
			else if (this.#options.channels.isLive(channel)) yield channel;
		}
		if (toSockets) yield BROADCAST_CHANNEL;
	}

	/** The longest time assumed between the publishing of a message and its receipt by the backend, in milliseconds. */
	get #slackMs(): number {
		return this.#intervalMs / 2;
	}

	get #intervalMs(): number {
		return this.#options.heartbeat?.intervalMs ?? DEFAULT_HEARTBEAT_MS;
	}
}
