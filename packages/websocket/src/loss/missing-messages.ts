import type { BusLiveness } from '../bus.ts';
import type { SubscriptionLostError } from '../errors.ts';
import type { Histories } from '../history/histories.ts';
import { APPENDED_WITHIN_MS } from '../history/history-store.ts';
import { isTopic } from '../protocol/topic.ts';
import type { PresenceLink } from '../nodes/presence-link.ts';
import type { Watermark } from '../provider-contract.ts';
import type { GapNotice, Origin, Sender } from '../wire/frame.ts';
import type { Skews } from '../wire/skews.ts';
import { type BusHeartbeat, DEFAULT_HEARTBEAT_MS } from './bus-heartbeat.ts';
import type { GapEvents } from './gap-events.ts';
import { monotonicTime, wallTime } from '../support/wall-time.ts';
import { ClockSkews } from './clock-skews.ts';
import { AffectedTopics, type LiveChannels } from './affected-topics.ts';
import { GapSpans } from './gap-spans.ts';
import { InboundBeats } from './inbound-beats.ts';
import { MisledSpans } from './misled-spans.ts';
import { DIGEST_EVERY_MS } from './beat-timing.ts';
import type { Accounted } from './peer.ts';
import type { PeerBeats } from './peer-beats.ts';
import { RecentLosses } from './recent-losses.ts';
import { ReceivedGapNotices } from './received-gap-notices.ts';
import type { Span } from './unpublished.ts';

/**
 * The longest time from publishing a message to storing it, in milliseconds. An append takes at most
 * `APPENDED_WITHIN_MS`, but can first have to wait for another append that takes as long.
 */
const STORED_LATE_MS = 2 * APPENDED_WITHIN_MS;

/** Without a fault, this node lags by at most this many heartbeat intervals, and the time between two digests. */
const LAG_BEATS = 2;
/** How much more a node must lag before it counts as lagging, in milliseconds, and how much at least. */
const LAG_MARGIN_MS = 500;
const LEAST_LAGGING_MS = 1_500;

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
	/** Reads again who is in topics whose changes may be missing. */
	readonly presence?: Pick<PresenceLink, 'missed'> | undefined;
	readonly onError: (error: Error) => void;
	/** See {@link InboundBeatsOptions.onNewNode}. */
	readonly onNewNode: (isHere: boolean) => void;
}

/**
 * Decides in which topics messages may be missing, and from which time span. Reports a gap for topics without history,
 * and has topics with history read again.
 */
export class MissingMessages {
	readonly #options: MissingMessagesOptions;
	readonly #notices = new ReceivedGapNotices(30_000);
	/** Few, and sent again for ten minutes. */
	readonly #misledNotices = new ReceivedGapNotices(600_000);
	readonly #skews = new ClockSkews();
	readonly #misled = new MisledSpans();
	/** The topics with history that have lost messages lately. */
	readonly #lost = new RecentLosses();
	readonly #affected: AffectedTopics;
	readonly #spans: GapSpans;
	/** Takes what arrives about other nodes' beats. */
	readonly beats: InboundBeats;

	constructor(options: MissingMessagesOptions) {
		this.#options = options;
		this.#affected = new AffectedTopics(options.channels, options.liveness);
		this.#spans = new GapSpans(this.#skews, () => this.#intervalMs);
		this.beats = new InboundBeats({
			...options,
			skews: this.#skews,
			intervalMs: () => this.#intervalMs,
			onMissed: (shard, since, now, sentAt) => this.#beatsWereMissed(shard, since, now, sentAt),
			onLost: (shard, since) => this.#ownBeatWasLost(shard, since),
		});
	}

	/** Called when the bus has resubscribed after an interruption. Frames on `channels` after `since` may be missing. */
	interrupted(channels: readonly string[] | 'all', since: number, reason: string): void {
		const { heartbeat, peers } = this.#options;
		this.#presenceMissed(channels);
		const now = performance.now();
		const until = Date.now();
		const provenUntil = heartbeat === undefined ? since : wallTime(heartbeat.provenAt());
		const begin = Math.min(since, until, provenUntil - this.#spans.slackMs);
		const span = this.#spans.byAllClocks(begin, until);
		let from = span.since;
		let storedFrom = span.since;
		for (const channel of this.#affected.heartbeatChannels(channels)) {
			heartbeat?.rebase(channel);
			for (const { arrived, isOverdue } of peers.interrupted(
				this.#affected.shardOf(channel),
				now - (until - begin),
				now,
			)) {
				const since = Math.min(arrived.sentAt, wallTime(arrived.at)) - this.#spans.slackMs;
				storedFrom = Math.min(storedFrom, since);
				if (!isOverdue) from = Math.min(from, since);
			}
		}
		this.#mayBeMissing(this.#affected.on(channels), Math.floor(from), span.until, reason, {
			storedSince: Math.floor(storedFrom),
		});
	}

	/**
	 * Returns the time since which this node may have been on a different server than the other nodes, by the monotonic
	 * clock. Called when its server has turned out to be a wrong one, or may have been one. The result can be earlier
	 * than `trusted`: that a server was a primary does not prove that the other nodes used it. Only beats from them
	 * prove that.
	 *
	 * @param trusted when the bus last trusted the wrong server, in milliseconds since the epoch
	 */
	misledSince(trusted: number): number {
		const { peers } = this.#options;
		const now = performance.now();
		const heard = this.#affected
			.heartbeatChannels()
			.map((channel) => peers.arrivedUntil(this.#affected.shardOf(channel), now));
		return Math.min(monotonicTime(trusted), ...heard.map((each) => each - this.#spans.slackMs));
	}

	/**
	 * Returns the span from a time of the monotonic clock until now, by the clock of this node, even if it was set in
	 * between.
	 */
	ownSpanSince(at: number): Span {
		const { least, most } = this.#skews.ownSettingsSince(at);
		return { since: Math.floor(at + least), until: Math.ceil(performance.now() + most) };
	}

	/**
	 * Called when this node has stored messages of some topics on a wrong server. Its own sockets have received them.
	 * Sockets that come from other nodes have not.
	 */
	storedElsewhere(topics: readonly string[] | 'all', { since, until }: Span): void {
		if (topics.length === 0) return;
		this.#misled.add({ since, until });
		this.#options.gaps.add(this.#affected.on(topics), since, until, 'this node was connected to a wrong server');
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
		if (this.#isBehind(now, disconnectedAt, 0, 0)) {
			const reason = 'this node stopped before it could tell whether it had missed messages';
			this.#mayBeMissingAnywhere(this.#affected.on('all'), until - lagMs - this.#spans.slackMs, until, reason);
		}
		this.#options.gaps.flush();
	}

	/** When it was last noticed that this node's clock was set, by the monotonic clock; -Infinity if never. */
	get clockSetAt(): number {
		return this.#skews.ownSetAt;
	}

	/** The skews of the clocks whose beats this node has received. */
	get skews(): Skews {
		return this.#skews.observed();
	}

	/**
	 * Called when a beat of this node has not come back, but a later one has. The subscriptions work, but whatever was
	 * published in between may be missing, as after an interruption.
	 */
	#ownBeatWasLost(shard: number, since: number): void {
		const channels = [...this.#options.channels.live()].filter((channel) => this.#affected.shardOf(channel) === shard);
		this.interrupted(channels, wallTime(since), 'a beat of this node was lost, so messages may have been lost too');
	}

	/** @param sentAt the time of the other node's clock now, if it is known */
	#beatsWereMissed(shard: number, since: Accounted, now: number, sentAt?: number): void {
		this.#options.presence?.missed((channel) => this.#affected.shardOf(channel) === shard);
		const span = this.#spans.since(since, now, sentAt);
		const reason = 'beats of another node were missed, so its messages may have been missed too';
		this.#mayBeMissing(this.#affected.ofShard(shard), span.since, span.until, reason);
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
		const channels = new Map(
			this.#affected.heartbeatChannels().map((channel) => [this.#affected.shardOf(channel), channel]),
		);
		const provenAt = (shard: number): number => {
			const channel = channels.get(shard);
			return channel === undefined ? -Infinity : heartbeat.provenAt(channel);
		};
		for (const { shard, since: silentSince } of peers.givenUp(provenAt, now)) {
			const { since, until } = this.#spans.since(silentSince, now);
			// On a topic with history, a message that could not be stored was not published. So nothing is missing there.
			const topics = [...this.#affected.ofShard(shard)].filter((topic) => !histories?.boundsOf(topic));
			gaps.add(topics, since, until, 'another node fell silent, and may have been unable to publish');
		}
	}

	/** Called when another node has reported that it could not publish for a time. */
	gapNotice(channel: string, notice: GapNotice): void {
		const { origin, everything, stored, misled, since, until, sentAt } = notice;
		const received = stored || misled ? this.#misledNotices : this.#notices;
		if (!received.isNew(`${origin} ${channel} ${since} ${until}`)) return;
		const topics = this.#affected.on(everything ? 'all' : [channel]);
		const span = this.#spans.ofNotice(notice);
		const reason = 'another node could not publish';
		const endedAt = performance.now() - Math.max(0, sentAt - until);
		if (misled) this.#misled.add(span);
		if (stored) this.#options.gaps.add(topics, span.since, span.until, reason, endedAt);
		else this.#mayBeMissing(topics, span.since, span.until, reason, { endedAt });
	}

	/**
	 * Called when the backend has refused to resubscribe a channel, so that its frames may be missing from `since` until
	 * now.
	 *
	 * @param error set if the backend still refuses; undefined once the channel is live again
	 */
	refused(channel: string, since: number, error?: SubscriptionLostError): void {
		if (error !== undefined) this.#options.onError(error);
		this.#presenceMissed([channel]);
		const topics = isTopic(channel) ? [channel] : this.#affected.on([channel]);
		const reason = 'the backend refused to resubscribe the topic';
		this.#mayBeMissingAnywhere(topics, since - this.#spans.slackMs, Date.now(), reason);
	}

	/** Reports a gap in a topic with history, whose messages since `since` can't be recovered from the store. */
	unrecoverable(topic: string, since: number, reason: string): void {
		const span = this.#spans.byAllClocks(since - STORED_LATE_MS - this.#spans.slackMs, Date.now());
		this.#lost.add(topic);
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
		const { behindMs, aheadMs } = this.#spans.differences();
		const lagMs = Math.ceil(now - at);
		const isLagging = this.#isBehind(now, disconnectedAt, LEAST_LAGGING_MS, LAG_MARGIN_MS, at);
		return { lagMs, isLagging, clocksBehindMs: behindMs, clocksAheadMs: aheadMs };
	}

	/**
	 * Returns whether this node lags behind by more than it does without a fault: its own beats prove its subscriptions
	 * all the time, even if news of other nodes come with digests.
	 *
	 * @param leastMs by how much it must lag at least
	 * @param marginMs by how much more it must lag than without a fault
	 * @param accountedAt up to when every message has arrived or is known to be missing
	 */
	#isBehind(
		now: number,
		disconnectedAt: number | undefined,
		leastMs: number,
		marginMs: number,
		accountedAt: number = this.#accountedAt(now, disconnectedAt),
	): boolean {
		const beatsMs = LAG_BEATS * this.#intervalMs + marginMs;
		const digestsMs = this.#options.peers.areCollected ? DIGEST_EVERY_MS : 0;
		return (
			now - this.#provenAt(now, disconnectedAt) > Math.max(leastMs, beatsMs) ||
			now - accountedAt > Math.max(leastMs, beatsMs + digestsMs)
		);
	}

	/** Returns the time up to which the subscriptions of this node are known to have worked, by the monotonic clock. */
	#provenAt(now: number, disconnectedAt: number | undefined): number {
		return Math.min(disconnectedAt ?? now, this.#options.heartbeat?.provenAt() ?? now);
	}

	/** Returns the time up to which every message has arrived or is known to be missing, by the monotonic clock. */
	#accountedAt(now: number, disconnectedAt: number | undefined): number {
		const { peers, heartbeat } = this.#options;
		let at = this.#provenAt(now, disconnectedAt);
		for (const channel of this.#affected.heartbeatChannels()) {
			const shard = this.#affected.shardOf(channel);
			at = Math.min(at, peers.accountedAt(shard, now));
			// Which nodes there are is not known yet.
			if (heartbeat?.mustAwaitDigest(channel) === true) at = Math.min(at, peers.listeningSince(shard));
		}
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
		this.#presenceMissed([channel]);
		const now = Date.now();
		const since = (heartbeat === undefined ? now : wallTime(heartbeat.provenAt())) - this.#spans.slackMs;
		this.#mayBeMissingAnywhere(this.#affected.on([channel]), since, now, 'another node runs a different release');
	}

	/**
	 * Like {@link #mayBeMissing}, but `since` and `until` are by this node's clock, and the messages may have been
	 * stamped by any node's clock.
	 */
	#mayBeMissingAnywhere(topics: Iterable<string>, since: number, until: number, reason: string): void {
		const span = this.#spans.byAllClocks(since, until);
		this.#mayBeMissing(topics, span.since, span.until, reason);
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
			if (this.#lost.has(topic)) plain.push(topic);
		}
		gaps.add(plain, since, until, reason, endedAt);
	}

	/** Changes of who is in topics may be missing on these channels. */
	#presenceMissed(channels: readonly string[] | 'all'): void {
		const { presence } = this.#options;
		if (presence === undefined) return;
		const affected = channels === 'all' ? undefined : new Set(channels);
		presence.missed((channel) => affected?.has(channel) !== false);
	}

	get #intervalMs(): number {
		return this.#options.heartbeat?.intervalMs ?? DEFAULT_HEARTBEAT_MS;
	}
}
