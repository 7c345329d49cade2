import type { Bus, BusHandlers, BusLiveness, BusStage, BusStatus } from '../bus.ts';
import { ProviderStoppedError, SubscribeError, UnknownSocketError } from '../errors.ts';
import { deliverSlice, type Histories } from '../history/histories.ts';
import type { Logger } from '../logger.ts';
import { type BeatContent, BusHeartbeat } from '../loss/bus-heartbeat.ts';
import { type Gap, GapEvents } from '../loss/gap-events.ts';
import { BeatMode } from '../loss/beat-mode.ts';
import { MissingMessages } from '../loss/missing-messages.ts';
import { OwnBeats } from '../loss/own-beats.ts';
import { WrongServer } from '../loss/wrong-server.ts';
import { PeerBeats } from '../loss/peer-beats.ts';
import { PublishFailures } from '../loss/publish-failures.ts';
import type { Span } from '../loss/unpublished.ts';
import type { SkippedFrames, Watermark } from '../provider-contract.ts';
import type { LocalFanout } from '../sockets/local-fanout.ts';
import { settledWithin, within } from '../support/promises.ts';
import { BROADCAST_CHANNEL, directChannel, socketOfChannel } from '../wire/channel-names.ts';
import type { Counts } from '../wire/digest.ts';
import {
	type Beat,
	type Digest,
	encodeHello,
	encodeMessages,
	encodeSilence,
	type Origin,
	randomOrigin,
} from '../wire/frame.ts';
import type { Payload } from '../wire/payload.ts';
import { ChannelInterest } from './channel-interest.ts';
import { HeartbeatChannels } from './heartbeat-channels.ts';
import { InboundFrames } from './inbound-frames.ts';
import { Introductions } from './introductions.ts';
import { NodeLease } from './lease.ts';
import type { NodeDirectory } from './node-directory.ts';
import { type Outcome, OutboundFrames } from './outbound-frames.ts';

export interface RemoteNodesOptions {
	readonly local: LocalFanout;
	/** On topics with history, missing messages are read from the store instead of being reported as a gap. */
	readonly histories: Histories | undefined;
	/** Called when another node has sent this one a message. */
	readonly onNodeMessage: (text: string) => void;
	readonly logger: Logger;
	readonly graceMs: number;
	readonly heartbeatMs: number;
	readonly collectBeatsAbove: number;
	readonly startTimeoutMs: number;
	/** The nodes of the cluster, which this adds the others to. */
	readonly directory: NodeDirectory;
	/** Returns how much this node has to do. */
	readonly counts: () => Counts;
	/**
	 * Called when the backend has refused to subscribe to a channel. The subscriptions of its sockets must be rolled
	 * back.
	 */
	readonly onRefused: (channel: string, error: SubscribeError) => void;
	readonly onStatus: (status: BusStatus) => void;
	/** Called when an operation has failed in the background. */
	readonly onError: (error: Error, stage: BusStage) => void;
}

/** How long `stop` waits for the backend to accept pending messages, in milliseconds. */
const DRAIN_TIMEOUT_MS = 1_000;
/**
 * How long `stop` then waits until the other nodes have been notified of what could not be published, in milliseconds.
 * Repeating a gap notice takes 3 s.
 */
const TELL_TIMEOUT_MS = 4_000;

/** A node whose own beats have not come back for this many intervals is cut off. */
const CUT_OFF_AFTER_BEATS = 3;

const NO_LIVENESS = "This bus has no liveness checks: losses that it does not report itself can't be detected";

/** Connects this node to the others over the bus: subscribes to channels, publishes messages and receives them. */
export class RemoteNodes {
	readonly #bus: Bus;
	readonly #options: RemoteNodesOptions;
	readonly #interest: ChannelInterest;
	readonly #outbound: OutboundFrames;
	readonly #inbound: InboundFrames;
	readonly #gaps: GapEvents;
	readonly #peers = new PeerBeats();
	readonly #missing: MissingMessages;
	readonly #failures: PublishFailures;
	readonly #heartbeat: BusHeartbeat | undefined;
	readonly #heartbeatChannels: HeartbeatChannels | undefined;
	readonly #origin: Origin;
	readonly #directory: NodeDirectory;
	readonly #lease: NodeLease;
	readonly #mode: BeatMode;
	readonly #ownBeats: OwnBeats;
	readonly #introductions: Introductions;
	readonly #wrongServer: WrongServer;
	#state: BusStatus['state'] = 'degraded';
	/** When the bus stopped being ready, by the monotonic clock; undefined if it is ready. */
	#disconnectedAt: number | undefined;
	/** When the bus last became ready, by the monotonic clock. */
	#readySince = -Infinity;
	/** Whether no beat of the current tick has been accepted yet. */
	#isFirstBeat = false;

	constructor(bus: Bus, options: RemoteNodesOptions) {
		const { local, histories, logger, directory, graceMs, onRefused, onError } = options;
		const origin = randomOrigin();
		this.#origin = origin;
		this.#directory = directory;
		this.#mode = new BeatMode(options.collectBeatsAbove);
		this.#lease = new NodeLease(directory.id, logger);
		this.#bus = bus;
		this.#options = options;
		this.#gaps = new GapEvents(logger);
		this.#failures = new PublishFailures({
			bus,
			origin,
			onError: (error) => onError(error, 'publish'),
		});
		this.#interest = new ChannelInterest(bus, {
			graceMs,
			onRefused,
			onLost: (channel, since, error) => this.#missing.refused(channel, since, error),
			onError: (error) => onError(error, 'subscribe'),
		});
		this.#outbound = new OutboundFrames({
			send: (channel, messages) => bus.publish(channel, encodeMessages(this.#failures.sender(channel), messages)),
			onOutcome: (channel, outcome) => this.#onOutcome(channel, outcome),
		});
		this.#inbound = new InboundFrames({
			origin,
			local,
			logger,
			isLate: (sender) => this.#missing.isLate(sender),
			onBeat: (channel, beat) => this.#onBeat(channel, beat),
			onDigest: (channel, digest) => this.#onDigest(channel, digest),
			onHello: (hello) => this.#introductions.greeted(hello),
			onGapNotice: (channel, notice) => this.#missing.gapNotice(channel, notice),
			onSilence: (silence) => this.#peers.heardOf(silence, performance.now()),
			onUnreadable: (channel) => this.#missing.unreadable(channel),
			onNodeMessage: options.onNodeMessage,
			onError: (error) => onError(error, 'deliver'),
		});
		const { liveness } = bus;
		this.#ownBeats = new OwnBeats({
			sender: (channel) => this.#failures.sender(channel),
			skews: () => this.#missing.skews,
			counts: options.counts,
			store: () => liveness?.beats,
			mustCollect: () => this.#mode.isCollected,
			isSubscribed: (channel) => this.#interest.isLive(channel),
			publish: (channel, frame) => bus.publish(channel, frame),
		});
		this.#introductions = new Introductions({
			directory,
			lease: this.#lease,
			store: () => liveness?.beats,
			publish: (text) => this.#greet(text),
			nodeCount: () => this.#nodeCount,
			onListed: (count) => this.#mode.listed(count + 1, performance.now()),
			isSelf: (each) => each === origin,
		});
		if (liveness !== undefined) {
			this.#heartbeatChannels = new HeartbeatChannels(liveness, this.#interest, origin);
			this.#heartbeat = new BusHeartbeat({
				intervalMs: options.heartbeatMs,
				liveness,
				nodeCount: () => this.#nodeCount,
				areCollected: (channel) => this.#ownBeats.areCollected(channel),
				isSubscribed: (channel) => this.#interest.isLive(channel),
				publish: (channel, beat) => this.#publishBeat(channel, beat),
				onTick: (now) => this.#onTick(liveness, now),
			});
		}
		this.#missing = new MissingMessages({
			origin,
			channels: this.#interest,
			peers: this.#peers,
			gaps: this.#gaps,
			heartbeat: this.#heartbeat,
			histories,
			liveness,
			onError: (error) => onError(error, 'subscribe'),
			onNewNode: (isHere) => {
				// A node whose beats are collected learns of this one from digests.
				if (isHere && !this.#mode.isCollected) this.#heartbeat?.beatNow();
				this.#failures.nodeStarted();
			},
		});
		this.#wrongServer = new WrongServer({ histories, missing: this.#missing, failures: this.#failures });
	}

	/** The state that the bus last reported. */
	get state(): BusStatus['state'] {
		return this.#state;
	}

	/** This node's lease at the backend. Never begins on a bus without liveness. */
	get lease(): NodeLease {
		return this.#lease;
	}

	/** Returns whether the bus was not ready at any time since then, by the monotonic clock. */
	wasAwaySince(time: number): boolean {
		return this.#state !== 'ready' || this.#readySince >= time;
	}

	get skippedFrames(): SkippedFrames {
		return this.#inbound.skipped;
	}

	/** Adds a listener for gaps. Returns a function that removes it. */
	onGap(listener: (gap: Gap) => unknown): () => void {
		return this.#gaps.on(listener);
	}

	/** Reports the gaps that are being held back, without waiting any longer. */
	flushGaps(): void {
		this.#missing.flush(this.#disconnectedAt);
	}

	/** See {@link MissingMessages.misledSpan}. */
	get misledSpan(): Span | undefined {
		return this.#missing.misledSpan;
	}

	/** See {@link SocketReliability.watermark}. */
	watermark(): Watermark {
		return this.#missing.watermark(this.#disconnectedAt);
	}

	/**
	 * Connects, and subscribes to the `wanted` channels. Calls `check` after each wait: if it throws, the start fails.
	 */
	async start(wanted: () => Iterable<string>, check: () => void): Promise<void> {
		const { histories, logger, startTimeoutMs } = this.#options;
		await this.#bus.start(this.#handlers());
		check();
		await histories?.prepare();
		check();
		const required = [this.#interest.subscribe(BROADCAST_CHANNEL), ...(this.#heartbeatChannels?.start() ?? [])];
		const ready = Promise.all(required);
		const rest = Array.from(wanted(), (channel) => this.#interest.subscribe(channel));
		this.#interest.open();
		await within(startTimeoutMs, ready, () => new SubscribeError(BROADCAST_CHANNEL, { cause: new Error('no answer') }));
		check();
		await Promise.allSettled(rest);
		check();
		await histories?.open();
		check();
		this.#peers.start(performance.now());
		this.#directory.start();
		if (this.#heartbeat === undefined) {
			logger.info(NO_LIVENESS);
			return;
		}
		this.#lease.start(performance.now());
		this.#introductions.start();
		this.#heartbeat.start();
	}

	/**
	 * Disconnects; pending subscriptions reject with `reason`.
	 *
	 * @param sendFirst whether pending messages are sent first
	 */
	async stop(reason: Error, sendFirst: boolean): Promise<void> {
		const { histories } = this.#options;
		if (sendFirst) {
			const late = new ProviderStoppedError('publish()');
			await Promise.all([this.#outbound.drain(DRAIN_TIMEOUT_MS, late), histories?.drain(DRAIN_TIMEOUT_MS, late)]);
			await this.#takeLeave();
			this.#missing.flush(this.#disconnectedAt);
		}
		this.#heartbeat?.stop();
		this.#introductions.stop();
		this.#ownBeats.reset();
		this.#directory.close();
		histories?.close();
		this.#interest.close(reason);
		await this.#bus.stop();
		this.#gaps.close();
	}

	/**
	 * Notifies the other nodes of what this one could not publish, and then, by a last beat, that it stops. If the gap
	 * notices do not get through in time, no last beat is sent either. The other nodes will then report that this one
	 * fell silent.
	 */
	async #takeLeave(): Promise<void> {
		await this.#wrongServer.searched(DRAIN_TIMEOUT_MS);
		await settledWithin(this.#heartbeat === undefined ? DRAIN_TIMEOUT_MS : TELL_TIMEOUT_MS, this.#failures.told());
		if (this.#failures.areTold) await settledWithin(DRAIN_TIMEOUT_MS, this.#heartbeat?.sendLast());
	}

	/** Subscribes to a channel. Resolves once frames that any node publishes to it will arrive. */
	subscribe(channel: string): Promise<void> {
		return this.#interest.subscribe(channel);
	}

	/** Declares that this node no longer needs a channel, which stays subscribed for `graceMs`. */
	unsubscribe(channel: string, graceMs?: number): void {
		this.#interest.unsubscribe(channel, graceMs);
	}

	/**
	 * Publishes a message to other nodes. Resolves when the backend has accepted it.
	 *
	 * @param isEnvelope whether the payload is an encoded envelope
	 */
	publish(channel: string, payload: Payload, isEnvelope = false): Promise<void> {
		return this.#outbound.add(channel, payload, isEnvelope);
	}

	/** Like {@link publish}, but the other nodes do not send the message to these sockets. */
	publishExcept(channel: string, payload: Payload, socketIds: readonly string[], isEnvelope: boolean): Promise<void> {
		return this.#outbound.addExcept(channel, payload, socketIds, isEnvelope);
	}

	/**
	 * Publishes a text for the node that a socket is connected to. Resolves when the backend has accepted it.
	 *
	 * @throws {UnknownSocketError} no node has that socket, as far as the backend can tell
	 */
	publishToNodeOf(socketId: string, text: string): Promise<void> {
		return this.#outbound.addForNode(directChannel(socketId), text);
	}

	/**
	 * Publishes a text for the nodes that are subscribed to a channel. Resolves with their number, if known, when the
	 * backend has accepted it.
	 */
	publishToNodes(channel: string, text: string): Promise<number | undefined> {
		return this.#outbound.addCounted(channel, text);
	}

	/** Reports that messages of a topic with history can't be recovered. */
	unrecoverable(topic: string, since: number, reason: string): void {
		this.#missing.unrecoverable(topic, since, reason);
	}

	#handlers(): BusHandlers {
		const { local, histories, onError } = this.#options;
		return {
			deliver: (channel, frame) => this.#inbound.deliver(channel, frame),
			appended: (topic, slice) => {
				if (histories === undefined) deliverSlice(local, topic, slice);
				else histories.appended(topic, slice);
			},
			status: (status) => this.#onStatus(status),
			interrupted: (channels, since, reason) => {
				this.#missing.interrupted(channels, since, reason);
				this.#introductions.interrupted();
			},
			undelivered: (since) => this.#wrongServer.undelivered(since),
			replaced: (lostAt) => this.#wrongServer.replaced(lostAt),
			refused: (channel, since, error) => this.#interest.refused(channel, since, error),
			error: onError,
		};
	}

	#onStatus(status: BusStatus): void {
		this.#state = status.state;
		if (status.state === 'ready') {
			this.#disconnectedAt = undefined;
			this.#readySince = performance.now();
			this.#interest.resume();
		} else {
			this.#disconnectedAt ??= performance.now();
			this.#interest.suspend();
		}
		this.#options.onStatus(status);
	}

	async #publishBeat(channel: string, beat: BeatContent): Promise<void> {
		const sentAt = performance.now();
		const isFirstShard = this.#bus.liveness?.shardOf(channel) === 0;
		if (isFirstShard && !beat.isLast && this.#lease.ensure(sentAt)) this.#introductions.renewed();
		await this.#ownBeats.publish(channel, beat);
		if (isFirstShard) this.#lease.renewed(sentAt);
		const isFirst = this.#isFirstBeat;
		this.#isFirstBeat = false;
		this.#failures.beatAccepted(isFirst);
	}

	/** Called once per heartbeat interval, before the beats go out. */
	#onTick(liveness: BusLiveness, now: number): void {
		this.#isFirstBeat = true;
		this.#heartbeatChannels?.update();
		if (this.#peers.newlySuspicious(now)) void liveness.verifyPrimary();
		this.#passOnSilences(liveness, now);
		this.#missing.beats.check(now);
		this.#missing.checkSilentNodes(now);
		this.#mode.update(this.#nodeCount, now);
		// A node that is cut off itself can't tell that others are silent.
		const provenAt = this.#heartbeat?.provenAt() ?? -Infinity;
		const isCutOff = now - provenAt > CUT_OFF_AFTER_BEATS * (this.#heartbeat?.intervalMs ?? 0);
		if (!isCutOff) this.#directory.check(now, (origin) => this.#peers.isAlive(origin));
		this.#introductions.check();
	}

	#onBeat(channel: string, beat: Beat): void {
		this.#missing.beats.received(this.#heartbeatChannels?.sharedOf(channel) ?? channel, beat);
		if (beat.origin === this.#origin) return;
		if (beat.isLast) this.#directory.stopped(beat.origin);
		else this.#directory.alive(beat.origin, beat.counts, performance.now());
	}

	#onDigest(channel: string, digest: Digest): void {
		const now = performance.now();
		for (const { origin, counts, ageMs } of this.#missing.beats.digested(channel, digest))
			this.#directory.alive(origin, counts, now - ageMs);
	}

	get #nodeCount(): number {
		return this.#peers.count + 1;
	}

	/** Tells the other nodes who this one is. */
	async #greet(text: string): Promise<void> {
		const channel = this.#bus.liveness?.heartbeatChannels()[0];
		if (channel !== undefined) await this.#bus.publish(channel, encodeHello(this.#failures.sender(channel), text));
	}

	/** Tells nodes that have started lately which nodes have fallen silent. */
	#passOnSilences(liveness: BusLiveness, now: number): void {
		for (const channel of liveness.heartbeatChannels()) {
			for (const silence of this.#peers.silences(liveness.shardOf(channel), now)) {
				// It is sent several times, and by each node.
				this.#bus.publish(channel, encodeSilence(silence)).catch(() => {});
			}
		}
	}

	#onOutcome(channel: string, outcome: Outcome): Error | undefined {
		if ('error' in outcome) return this.#failures.failed(channel, outcome.error, outcome.since);
		this.#failures.succeeded(channel);
		const socketId = outcome.nodes === 0 ? socketOfChannel(channel) : undefined;
		return socketId === undefined ? undefined : new UnknownSocketError(socketId);
	}
}
