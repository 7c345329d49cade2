import type { Bus, BusHandlers, BusStage, BusStatus } from '../bus.ts';
import { ProviderStoppedError, SubscribeError, UnknownSocketError } from '../errors.ts';
import { deliverSlice, type Histories } from '../history/histories.ts';
import type { Logger } from '../logger.ts';
import { type Gap, GapEvents } from '../loss/gap-events.ts';
import { MissingMessages } from '../loss/missing-messages.ts';
import { PeerBeats } from '../loss/peer-beats.ts';
import { PublishFailures } from '../loss/publish-failures.ts';
import type { Span } from '../loss/unpublished.ts';
import { WrongServer } from '../loss/wrong-server.ts';
import type { SkippedFrames, Watermark } from '../provider-contract.ts';
import type { LocalFanout } from '../sockets/local-fanout.ts';
import { settledWithin, within } from '../support/promises.ts';
import { BROADCAST_CHANNEL, directChannel, socketOfChannel } from '../wire/channel-names.ts';
import type { Counts } from '../wire/digest.ts';
import { encodeMessages, randomOrigin, type Sender } from '../wire/frame.ts';
import type { Payload } from '../wire/payload.ts';
import type { FrameSignatures } from '../wire/signature.ts';
import { ChannelInterest } from './channel-interest.ts';
import { Heartbeats } from './heartbeats.ts';
import { InboundFrames } from './inbound-frames.ts';
import type { NodeLease } from './lease.ts';
import type { KnownNodes, NodeDirectory } from './node-directory.ts';
import { type Outcome, OutboundFrames } from './outbound-frames.ts';
import type { PresenceLink } from './presence-link.ts';
import { SignedBus } from './signed-bus.ts';

export interface RemoteNodesOptions {
	readonly local: LocalFanout;
	/** On topics with history, missing messages are read from the store instead of being reported as a gap. */
	readonly histories: Histories | undefined;
	/** Who is in topics; undefined if that is not kept. */
	readonly presence: PresenceLink | undefined;
	/** Called when another node has sent this one a message. */
	readonly onNodeMessage: (text: string) => void;
	readonly logger: Logger;
	readonly graceMs: number;
	readonly heartbeatMs: number;
	readonly collectBeatsAbove: number;
	readonly startTimeoutMs: number;
	/** Undefined if frames are not signed. */
	readonly signatures: FrameSignatures | undefined;
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
	readonly #heartbeats: Heartbeats | undefined;
	readonly #directory: NodeDirectory;
	readonly #wrongServer: WrongServer;
	#state: BusStatus['state'] = 'degraded';
	/** When the bus stopped being ready, by the monotonic clock; undefined if it is ready. */
	#disconnectedAt: number | undefined;
	/** When the bus last became ready, by the monotonic clock. */
	#readySince = -Infinity;

	constructor(transport: Bus, options: RemoteNodesOptions) {
		const { local, histories, presence, logger, directory, graceMs, signatures, onRefused, onError } = options;
		const origin = randomOrigin();
		const bus =
			signatures === undefined
				? transport
				: new SignedBus(transport, signatures, (channel, fault) => this.#inbound.skip(channel, fault));
		this.#directory = directory;
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
			onBeat: (channel, beat) => this.#heartbeats?.received(channel, beat),
			onDigest: (channel, digest) => this.#heartbeats?.digested(channel, digest),
			onPresence: (channel, change, isOwn) => presence?.received(channel, change, isOwn),
			onHello: (hello) => this.#heartbeats?.greeted(hello),
			onGapNotice: (channel, notice) => this.#missing.gapNotice(channel, notice),
			onSilence: (silence) => this.#peers.heardOf(silence, performance.now()),
			onUnreadable: (channel) => this.#missing.unreadable(channel),
			onNodeMessage: options.onNodeMessage,
			onError: (error) => onError(error, 'deliver'),
		});
		const { liveness } = bus;
		if (liveness !== undefined) {
			const { heartbeatMs, collectBeatsAbove, counts } = options;
			this.#heartbeats = new Heartbeats({
				bus,
				liveness,
				origin,
				interest: this.#interest,
				peers: this.#peers,
				failures: this.#failures,
				missing: () => this.#missing,
				directory,
				logger,
				counts,
				heartbeatMs,
				collectBeatsAbove,
			});
		}
		this.#missing = new MissingMessages({
			origin,
			channels: this.#interest,
			peers: this.#peers,
			gaps: this.#gaps,
			heartbeat: this.#heartbeats?.own,
			histories,
			presence,
			liveness,
			onError: (error) => onError(error, 'subscribe'),
			onNewNode: (isHere) => {
				this.#heartbeats?.newNode(isHere);
				this.#failures.nodeStarted();
			},
		});
		this.#wrongServer = new WrongServer({ histories, missing: this.#missing, failures: this.#failures });
	}

	/** The state that the bus last reported. */
	get state(): BusStatus['state'] {
		return this.#state;
	}

	/** This node's lease at the backend; undefined if the bus has no liveness. */
	get lease(): NodeLease | undefined {
		return this.#heartbeats?.lease;
	}

	/** Returns whether the bus was not ready at any time since then, by the monotonic clock. */
	wasAwaySince(time: number): boolean {
		return this.#state !== 'ready' || this.#readySince >= time;
	}

	get knownNodes(): KnownNodes {
		if (this.#heartbeats === undefined) return 'unknown';
		if (this.#state !== 'ready') return 'some';
		return this.#heartbeats.areNodesKnown ? 'all' : 'unknown';
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
		const { histories, presence, logger, startTimeoutMs } = this.#options;
		await this.#bus.start(this.#handlers());
		check();
		await histories?.prepare();
		check();
		await presence?.prepare();
		check();
		const required = [this.#interest.subscribe(BROADCAST_CHANNEL), ...(this.#heartbeats?.subscribe() ?? [])];
		const ready = Promise.all(required);
		const rest = Array.from(wanted(), (channel) => this.#interest.subscribe(channel));
		this.#interest.open();
		await within(startTimeoutMs, ready, () => new SubscribeError(BROADCAST_CHANNEL, { cause: new Error('no answer') }));
		check();
		await Promise.allSettled(rest);
		check();
		await Promise.all([histories?.open(), presence?.start()]);
		check();
		this.#peers.start(performance.now());
		this.#directory.start();
		if (this.#heartbeats === undefined) logger.info(NO_LIVENESS);
		else this.#heartbeats.start();
	}

	/**
	 * Disconnects; pending subscriptions reject with `reason`.
	 *
	 * @param sendFirst whether pending messages are sent first
	 */
	async stop(reason: Error, sendFirst: boolean): Promise<void> {
		const { histories, presence } = this.#options;
		await presence?.stop();
		if (sendFirst) {
			const late = new ProviderStoppedError('publish()');
			await Promise.all([this.#outbound.drain(DRAIN_TIMEOUT_MS, late), histories?.drain(DRAIN_TIMEOUT_MS, late)]);
			await this.#takeLeave();
			this.#missing.flush(this.#disconnectedAt);
		}
		this.#heartbeats?.stop();
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
		await settledWithin(this.#heartbeats === undefined ? DRAIN_TIMEOUT_MS : TELL_TIMEOUT_MS, this.#failures.told());
		if (this.#failures.areTold) await settledWithin(DRAIN_TIMEOUT_MS, this.#heartbeats?.own.sendLast());
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

	/** Returns the sender of what is published to a channel now. */
	senderFor(channel: string): Sender {
		return this.#failures.sender(channel);
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
				this.#heartbeats?.interrupted();
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
		this.#options.presence?.statusChanged(status.state === 'ready');
	}

	#onOutcome(channel: string, outcome: Outcome): Error | undefined {
		if ('error' in outcome) return this.#failures.failed(channel, outcome.error, outcome.since);
		this.#failures.succeeded(channel);
		const socketId = outcome.nodes === 0 ? socketOfChannel(channel) : undefined;
		return socketId === undefined ? undefined : new UnknownSocketError(socketId);
	}
}
