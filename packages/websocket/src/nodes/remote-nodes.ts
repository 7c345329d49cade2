import { type UnpublishedSpans, OutgoingGapNotices, ReceivedGapNotices } from '../loss/outgoing-gap-notices.ts';
import type { Bus, BusLiveness, BusStage, BusStatus } from '../bus.ts';
import {
	BusUnavailableError,
	ProviderStoppedError,
	SubscribeError,
	SubscriptionLostError,
	UnknownSocketError,
} from '../errors.ts';
import {
	type Beat,
	encodeBeat,
	encodeGap,
	encodeMessages,
	type GapNotice,
	randomOrigin,
	type Sender,
} from '../wire/frame.ts';
import { type Gap, GapEvents } from '../loss/gap-events.ts';
import { DEFAULT_HEARTBEAT_MS, BusHeartbeat } from '../loss/bus-heartbeat.ts';
import { InboundFrames } from './inbound-frames.ts';
import { ChannelInterest } from './channel-interest.ts';
import { type Histories, passOn } from '../history/histories.ts';
import type { LocalFanout } from '../sockets/local-fanout.ts';
import type { Logger } from '../logger.ts';
import { BROADCAST_CHANNEL, socketOfChannel } from '../wire/channel-names.ts';
import { type Outcome, OutboundFrames } from './outbound-frames.ts';
import type { Payload } from '../wire/payload.ts';
import { PeerBeats } from '../loss/peer-beats.ts';
import type { SkippedFrames } from '../provider.ts';
import { within } from '../support/promises.ts';
import { type Span, Unpublished } from '../loss/unpublished.ts';
import { isTopic } from '../protocol/topic.ts';

export interface RemoteNodesOptions {
	readonly local: LocalFanout;
	/** What is asked for in place of a gap where a topic has history. */
	readonly histories: Histories | undefined;
	/** Another node told this one something. */
	readonly onNodeMessage: (text: string) => void;
	readonly logger: Logger;
	readonly graceMs: number;
	readonly heartbeatMs: number;
	readonly startTimeoutMs: number;
	/** The backend refused a channel; whoever wanted it must be rolled back. */
	readonly onRefused: (channel: string, error: SubscribeError) => void;
	readonly onStatus: (status: BusStatus) => void;
	/** Something failed that no caller is waiting for. */
	readonly onError: (error: Error, stage: BusStage) => void;
}

/** How long `stop` waits for the answers to what was published, in milliseconds. */
const DRAIN_TIMEOUT_MS = 1_000;

/** How often it is logged that publishing fails, in milliseconds. */
const TELL_EVERY_MS = 1_000;

/** The way to the other nodes and back: what is asked of the bus, what goes out over it and what comes in. */
export class RemoteNodes {
	readonly #bus: Bus;
	readonly #options: RemoteNodesOptions;
	readonly #origin = randomOrigin();
	readonly #interest: ChannelInterest;
	readonly #outbox: OutboundFrames;
	readonly #incoming: InboundFrames;
	readonly #peers = new PeerBeats();
	readonly #gaps: GapEvents;
	readonly #unsent = new Unpublished();
	readonly #announcements: OutgoingGapNotices;
	readonly #heardNotices = new ReceivedGapNotices();
	readonly #heartbeat: BusHeartbeat | undefined;
	/** By shard: how often publishing began to fail, and whether it fails now. */
	readonly #incarnations: number[] = [];
	readonly #failing: boolean[] = [];
	readonly #toldAt: number[] = [];
	#state: BusStatus['state'] = 'degraded';
	/** The shards this node listens on. */
	#shards = new Set<string>();
	/** OutgoingGapNotices are repeated with the first beat of a tick that gets through. */
	#repeats = false;

	constructor(bus: Bus, options: RemoteNodesOptions) {
		const { local, logger, graceMs, heartbeatMs, onRefused, onError } = options;
		this.#bus = bus;
		this.#options = options;
		this.#gaps = new GapEvents(logger);
		this.#announcements = new OutgoingGapNotices(this.#unsent, bus.liveness !== undefined);
		this.#interest = new ChannelInterest(bus, {
			graceMs,
			onRefused,
			onUnheard: (channel, since, error) => this.#onUnheard(channel, since, error),
			onError: (error) => onError(error, 'subscribe'),
		});
		this.#outbox = new OutboundFrames({
			send: (channel, messages) => bus.publish(channel, encodeMessages(this.#sender(channel), messages)),
			verdict: (channel, outcome) => this.#verdict(channel, outcome),
		});
		this.#incoming = new InboundFrames({
			origin: this.#origin,
			local,
			logger,
			isLate: (sender) => this.#peers.isLate(sender),
			onBeat: (shard, beat) => this.#onBeat(shard, beat),
			onGapNotice: (channel, notice) => this.#onGapNotice(channel, notice),
			onNodeMessage: options.onNodeMessage,
			onError: (error) => onError(error, 'deliver'),
		});
		const { liveness } = bus;
		if (liveness === undefined) return;
		this.#heartbeat = new BusHeartbeat({
			intervalMs: heartbeatMs,
			liveness,
			nodes: () => this.#peers.count + 1,
			isHeard: (shard) => this.#interest.isLive(shard),
			publish: (shard, ...beat) => this.#publishBeat(shard, ...beat),
			onTick: (now) => {
				this.#repeats = true;
				this.#followShards(liveness);
				if (this.#peers.newlySilent(now)) void this.#lookInto(liveness);
			},
		});
	}

	/** As the bus last told. */
	get state(): BusStatus['state'] {
		return this.#state;
	}

	/** Listens on the shards there are; they change with the backend's topology. */
	#followShards(liveness: BusLiveness): void {
		const shards = liveness.heartbeatChannels();
		for (const shard of shards) {
			if (this.#shards.has(shard)) continue;
			this.#shards.add(shard);
			// A refusal is reported, as for any channel; the shard is then not beaten on.
			this.#interest.acquire(shard).catch(() => {});
		}
		for (const shard of this.#shards) {
			if (shards.includes(shard)) continue;
			this.#shards.delete(shard);
			this.#interest.release(shard, 0);
		}
	}

	/** Others fell silent: unless it is this node that is in the wrong place, that is their affair. */
	async #lookInto(liveness: BusLiveness): Promise<void> {
		if (await liveness.verifyPrimary()) this.#peers.dismissSilent();
	}

	get skippedFrames(): SkippedFrames {
		return this.#incoming.skipped;
	}

	/** Returns the undo. */
	onGap(listener: (gap: Gap) => void): () => void {
		return this.#gaps.on(listener);
	}

	/** Connects and subscribes to what is wanted by now. Calls `check` after each wait, which may throw. */
	async start(wanted: () => Iterable<string>, check: () => void): Promise<void> {
		await this.#bus.start({
			deliver: (channel, frame) => this.#incoming.deliver(channel, frame),
			appended: (topic, slice) => {
				const { histories, local } = this.#options;
				if (histories === undefined) passOn(local, topic, slice);
				else histories.appended(topic, slice);
			},
			status: (status) => this.#onStatus(status),
			interrupted: (topics, since, reason) => this.#onInterruption(topics, since, reason),
			undelivered: (since) => this.#unsent.noteAll({ since, until: Date.now() }),
			refused: (channel, since, error) => this.#interest.revoke(channel, since, error),
			error: this.#options.onError,
		});
		check();
		await this.#options.histories?.prepare();
		check();
		this.#shards = new Set(this.#bus.liveness?.heartbeatChannels());
		const needed = [BROADCAST_CHANNEL, ...this.#shards];
		const ready = Promise.all(needed.map((channel) => this.#interest.acquire(channel)));
		const rest = Array.from(wanted(), (channel) => this.#interest.acquire(channel));
		this.#interest.open();
		await within(
			this.#options.startTimeoutMs,
			ready,
			() => new SubscribeError(BROADCAST_CHANNEL, { cause: new Error('no answer') }),
		);
		check();
		await Promise.allSettled(rest);
		check();
		await this.#options.histories?.open();
		check();
		this.#peers.rebase(Date.now());
		this.#heartbeat?.start();
	}

	/** Disconnects; subscriptions still pending reject with `reason`. Sends what waits first, if asked to. */
	async stop(reason: Error, sendFirst: boolean): Promise<void> {
		this.#heartbeat?.stop();
		if (sendFirst) {
			for (const shard of this.#bus.liveness?.heartbeatChannels() ?? []) {
				this.#publishBeat(shard, 0, 0, Date.now()).catch(() => {});
			}
			const late = new ProviderStoppedError('publish()');
			await Promise.all([
				this.#outbox.drain(DRAIN_TIMEOUT_MS, late),
				this.#options.histories?.drain(DRAIN_TIMEOUT_MS, late),
			]);
		}
		this.#options.histories?.close();
		this.#interest.close(reason);
		await this.#bus.stop();
		this.#gaps.close();
	}

	/** Resolves when what any node publishes on the channel will arrive. */
	listen(channel: string): Promise<void> {
		return this.#interest.acquire(channel);
	}

	/** Nobody here listens to the channel any more; it is kept for `graceMs`. */
	unlisten(channel: string, graceMs?: number): void {
		this.#interest.release(channel, graceMs);
	}

	/** Resolves when the backend has accepted the message. */
	publish(channel: string, payload: Payload): Promise<void> {
		return this.#outbox.add(channel, payload);
	}

	// Publishing

	#sender(channel: string): Sender {
		const shard = this.#bus.liveness?.shardOf(channel) ?? 0;
		return { origin: this.#origin, shard, incarnation: this.#incarnations[shard] ?? 0 };
	}

	async #publishBeat(shard: string, number: number, intervalMs: number, sentAt: number): Promise<void> {
		await this.#bus.publish(shard, encodeBeat(this.#sender(shard), { number, intervalMs, sentAt }));
		if (this.#repeats) for (const announcement of this.#announcements.due()) this.#announce(announcement);
		this.#repeats = false;
		this.#announce(this.#announcements.fresh());
	}

	#verdict(channel: string, outcome: Outcome): Error | undefined {
		const shard = this.#bus.liveness?.shardOf(channel) ?? 0;
		if ('error' in outcome) {
			const error = new BusUnavailableError(channel, { cause: outcome.error });
			this.#unsent.note(channel, { since: outcome.since, until: Date.now() });
			if (this.#failing[shard] !== true) {
				this.#failing[shard] = true;
				this.#incarnations[shard] = (this.#incarnations[shard] ?? 0) + 1;
				this.#tellOfFailure(shard, error);
			}
			return error;
		}
		this.#failing[shard] = false;
		this.#announce(this.#announcements.fresh());
		const socketId = outcome.nodes === 0 ? socketOfChannel(channel) : undefined;
		return socketId === undefined ? undefined : new UnknownSocketError(socketId);
	}

	/** Where some messages go through and others don't, the log is told now and then. */
	#tellOfFailure(shard: number, error: Error): void {
		const now = Date.now();
		if (now - (this.#toldAt[shard] ?? 0) < TELL_EVERY_MS) return;
		this.#toldAt[shard] = now;
		this.#options.onError(error, 'publish');
	}

	/** Tells the other nodes what they did not get, now that they can be told. */
	#announce(announcement: UnpublishedSpans | undefined): void {
		if (announcement === undefined) return;
		const { channels, everything } = announcement;
		const tell = (channel: string, span: Span, all: boolean): void => {
			const notice = encodeGap(this.#sender(channel), { ...span, everything: all, sentAt: Date.now() });
			// A failure is made good by a repetition.
			this.#bus.publish(channel, notice).catch(() => {});
		};
		if (everything !== undefined) tell(BROADCAST_CHANNEL, everything, true);
		for (const [channel, span] of channels) tell(channel, span, false);
	}

	// What may have been missed

	#onStatus(status: BusStatus): void {
		this.#state = status.state;
		if (status.state === 'ready') this.#interest.resume();
		else this.#interest.suspend();
		this.#options.onStatus(status);
	}

	#onInterruption(topics: readonly string[] | 'all', since: number, reason: string): void {
		const until = Date.now();
		const begin =
			this.#heartbeat === undefined ? since : Math.min(since, this.#heartbeat.provenUntil() - this.#slackMs);
		this.#heartbeat?.rebase();
		this.#peers.rebase(until);
		this.#mayBeMissing(this.#concerned(topics), begin, until, reason);
	}

	#onBeat(shard: string, beat: Beat): void {
		if (beat.origin === this.#origin) {
			this.#heartbeat?.heard(shard, beat.number, beat.sentAt);
			return;
		}
		const now = Date.now();
		const unheardSince = this.#peers.heard(beat, now);
		if (unheardSince === undefined) return;
		const { liveness } = this.#bus;
		const concerned = [...this.#interest.live()].filter((channel) => liveness?.shardOf(channel) === beat.shard);
		const reason = 'messages that another node published were not heard';
		this.#mayBeMissing(this.#concerned(concerned), unheardSince - this.#slackMs, now, reason);
	}

	#onGapNotice(channel: string, { origin, everything, since, until, sentAt }: GapNotice): void {
		const now = Date.now();
		if (!this.#heardNotices.isNew(`${origin} ${channel} ${since} ${until}`, now)) return;
		// The other node's clock may differ. The way here took some of this as well, so the span begins a little earlier.
		const skew = now - sentAt;
		const concerned = this.#concerned(everything ? 'all' : [channel]);
		this.#mayBeMissing(concerned, since + skew - this.#slackMs, until + skew, 'another node could not publish');
	}

	/** A channel could not be subscribed again, until now or still. */
	#onUnheard(channel: string, since: number, error?: SubscriptionLostError): void {
		if (error !== undefined) this.#options.onError(error, 'subscribe');
		const topics = isTopic(channel) ? [channel] : this.#concerned([channel]);
		this.#mayBeMissing(topics, since - this.#slackMs, Date.now(), 'the backend refuses the topic');
	}

	/** Topics with history get back what is missing; the others get a gap. */
	#mayBeMissing(topics: Iterable<string>, since: number, until: number, reason: string): void {
		const { histories } = this.#options;
		if (histories === undefined) return this.#gaps.add(topics, since, until, reason);
		const plain: string[] = [];
		for (const topic of topics) {
			if (histories.boundsOf(topic) === undefined) plain.push(topic);
			else histories.verify(topic);
		}
		this.#gaps.add(plain, since, until, reason);
	}

	/** Messages of a topic with history can't be given back. */
	historyLost(topic: string, since: number, reason: string): void {
		this.#gaps.report({ topic, since: since - this.#slackMs, until: Date.now(), reason });
	}

	/** The topics by which people know channels; `*` is all that is sent to sockets themselves. */
	*#concerned(channels: readonly string[] | 'all'): Generator<string> {
		let toSockets = false;
		for (const channel of channels === 'all' ? this.#interest.live() : channels) {
			if (!isTopic(channel)) toSockets ||= channel === BROADCAST_CHANNEL || socketOfChannel(channel) !== undefined;
			else if (this.#interest.isLive(channel)) yield channel;
		}
		if (toSockets) yield BROADCAST_CHANNEL;
	}

	/** A message may be published that much earlier than the backend gets it, for all this node knows. */
	get #slackMs(): number {
		return (this.#heartbeat?.intervalMs ?? DEFAULT_HEARTBEAT_MS) / 2;
	}
}
