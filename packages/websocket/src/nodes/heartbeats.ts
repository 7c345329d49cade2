import type { Bus, BusLiveness } from '../bus.ts';
import type { Logger } from '../logger.ts';
import { BeatMode } from '../loss/beat-mode.ts';
import { DIGEST_EVERY_MS } from '../loss/beat-timing.ts';
import { type BeatContent, BusHeartbeat } from '../loss/bus-heartbeat.ts';
import type { MissingMessages } from '../loss/missing-messages.ts';
import { OwnBeats } from '../loss/own-beats.ts';
import type { PeerBeats } from '../loss/peer-beats.ts';
import type { PublishFailures } from '../loss/publish-failures.ts';
import type { Counts } from '../wire/digest.ts';
import { type Beat, type Digest, encodeHello, encodeSilence, type Hello, type Origin } from '../wire/frame.ts';
import type { ChannelInterest } from './channel-interest.ts';
import { HeartbeatChannels } from './heartbeat-channels.ts';
import { Introductions } from './introductions.ts';
import { NodeLease } from './lease.ts';
import type { NodeDirectory } from './node-directory.ts';

export interface HeartbeatsOptions {
	readonly bus: Bus;
	readonly liveness: BusLiveness;
	/** This node. */
	readonly origin: Origin;
	readonly interest: ChannelInterest;
	readonly peers: PeerBeats;
	readonly failures: PublishFailures;
	readonly missing: () => MissingMessages;
	readonly directory: NodeDirectory;
	readonly logger: Logger;
	readonly counts: () => Counts;
	readonly heartbeatMs: number;
	readonly collectBeatsAbove: number;
}

/** A node whose own beats have not come back for this many intervals is cut off. */
const CUT_OFF_AFTER_BEATS = 3;
/** For how many intervals digests are wanted soon, once a node has started or a clock was set. */
const HURRY_BEATS = 2.5;
/** Between digests that are wanted soon is at least this time for each node, in milliseconds. */
const HURRY_PER_NODE_MS = 2;
/** How many nodes answer one that has just started by an additional beat, on average. */
const ANSWERS = 3;
/**
 * When beats are collected, all nodes learn at the same time that one has fallen silent. They look whether they are on
 * the right server within this time for each node, at random, and at most this time, in milliseconds.
 */
const VERIFY_PER_NODE_MS = 2;
const VERIFY_WITHIN_MS = 2_000;
/**
 * Looking through all that is known of other nodes takes time: between two looks is at least this time for each node,
 * in milliseconds. If a digest has shown a silent node, the next beat comes with a look.
 */
const LOOK_PER_NODE_MS = 2;

/**
 * Sends this node's beats and follows those of the others: whether connections work, whether messages may be missing,
 * and which nodes there are.
 */
export class Heartbeats {
	/** Proves that this node's own connections work. */
	readonly own: BusHeartbeat;
	readonly lease: NodeLease;
	readonly #options: HeartbeatsOptions;
	readonly #channels: HeartbeatChannels;
	readonly #mode: BeatMode;
	readonly #beats: OwnBeats;
	readonly #introductions: Introductions;
	/** Whether no beat of the current tick has been accepted yet. */
	#isFirstBeat = false;
	/** When there were first news of another node, by the monotonic clock. */
	#newNodeAt = -Infinity;
	/** The nodes of which there were first news lately, with the time of these. */
	readonly #newNodes = new Map<Origin, number>();
	/** When a digest of all nodes arrived that a node has caused which is not new, by the monotonic clock. */
	#newNodesToldAt = -Infinity;
	#verifying: ReturnType<typeof setTimeout> | undefined;
	/** When this node last looked for others that are silent, by the monotonic clock. */
	#lookedAt = -Infinity;

	constructor(options: HeartbeatsOptions) {
		const { bus, liveness, origin, interest, failures, missing, directory, logger, counts } = options;
		const store = (): typeof liveness.beats => liveness.beats;
		const isSubscribed = (channel: string): boolean => interest.isLive(channel);
		const nodeCount = (): number => this.#nodeCount;
		this.#options = options;
		this.#channels = new HeartbeatChannels(liveness, interest, origin);
		this.#mode = new BeatMode(options.collectBeatsAbove);
		this.lease = new NodeLease(directory.id, logger);
		this.#beats = new OwnBeats({
			sender: (channel) => failures.sender(channel),
			skews: () => missing().skews,
			counts,
			store,
			connection: (channel) => liveness.connection?.(channel),
			mustCollect: () => this.#mode.isCollected,
			digestEveryMs: (channel) => this.#digestEveryMs(channel),
			isSubscribed,
			publish: (channel, frame) => bus.publish(channel, frame),
		});
		this.#introductions = new Introductions({
			directory,
			lease: this.lease,
			store,
			publish: (text) => this.#greet(text),
			nodeCount,
			onListed: (count) => this.#mode.listed(count + 1, performance.now()),
			isSelf: (each) => each === origin,
		});
		this.own = new BusHeartbeat({
			intervalMs: options.heartbeatMs,
			liveness,
			nodeCount,
			areCollected: (channel) => this.#beats.areCollected(channel),
			isSubscribed,
			publish: (channel, beat) => this.#publish(channel, beat),
			onTick: (now) => this.#onTick(now),
		});
	}

	/** Subscribes to heartbeat channels. Returns the promises of {@link ChannelInterest.subscribe}. */
	subscribe(): Promise<void>[] {
		return this.#channels.start();
	}

	/** Called once this node receives what the others publish. */
	start(): void {
		this.lease.start();
		this.#introductions.start();
		this.own.start();
	}

	stop(): void {
		clearTimeout(this.#verifying);
		this.#verifying = undefined;
		this.own.stop();
		this.#introductions.stop();
		this.#newNodes.clear();
		this.#beats.reset();
	}

	/** Called when a beat has arrived, from this node or from another one. */
	received(channel: string, beat: Beat): void {
		const { origin, missing, directory } = this.#options;
		if (beat.origin !== origin) this.#noteNew(beat.origin);
		missing().beats.received(this.#channels.sharedOf(channel), beat);
		if (beat.origin === origin) return;
		if (beat.isLast) directory.stopped(beat.origin);
		else directory.alive(beat.origin, beat.counts, performance.now());
	}

	digested(channel: string, digest: Digest): void {
		const { origin: self, missing, directory } = this.#options;
		const now = performance.now();
		for (const { origin } of digest.entries) if (origin !== self) this.#noteNew(origin);
		if (digest.isFull && !this.#newNodes.has(digest.origin)) this.#newNodesToldAt = now;
		for (const { origin, counts, ageMs } of missing().beats.digested(channel, digest))
			directory.alive(origin, counts, now - ageMs);
	}

	/** Called when another node has said who it is. */
	greeted(hello: Hello): void {
		this.#introductions.greeted(hello);
	}

	/** Called with the first news of another node. @param isHere whether a beat itself has arrived */
	newNode(isHere: boolean): void {
		const now = performance.now();
		this.#mode.update(this.#nodeCount, now);
		if (this.#mode.isCollected) {
			this.#newNodeAt = now;
			if (Math.random() < ANSWERS / this.#nodeCount) this.own.beatNow();
		} else if (isHere) {
			this.own.beatNow();
		}
	}

	/** Called before news of another node are taken. */
	#noteNew(origin: Origin): void {
		if (!this.#options.peers.knows(origin)) this.#newNodes.set(origin, performance.now());
	}

	#forgetNew(now: number): void {
		const forMs = HURRY_BEATS * this.own.intervalMs;
		for (const [origin, at] of this.#newNodes) if (now - at >= forMs) this.#newNodes.delete(origin);
	}

	/**
	 * A node that has just subscribed must soon have a digest of all nodes, and one that has just started must also have
	 * one that another node has caused, as it says what is known of clocks. A node whose clock was set must tell so.
	 */
	#digestEveryMs(channel: string): number {
		const forMs = HURRY_BEATS * this.own.intervalMs;
		const now = performance.now();
		const tellsNew = this.#newNodesToldAt < this.#newNodeAt && now - this.#newNodeAt < forMs;
		const tellsClock = now - this.#options.missing().clockSetAt < forMs;
		const hurries = tellsNew || tellsClock || this.own.awaitsDigest(channel);
		return hurries ? Math.min(HURRY_PER_NODE_MS * this.#nodeCount, DIGEST_EVERY_MS) : DIGEST_EVERY_MS;
	}

	/** Called when this node has been interrupted. */
	interrupted(): void {
		this.#introductions.interrupted();
	}

	/** See {@link Introductions.areAllKnown}. */
	get areNodesKnown(): boolean {
		return this.#introductions.areAllKnown;
	}

	get #nodeCount(): number {
		return this.#options.peers.count + 1;
	}

	async #publish(channel: string, beat: BeatContent): Promise<void> {
		const { liveness, failures } = this.#options;
		const sentAt = performance.now();
		const isFirstShard = liveness.shardOf(channel) === 0;
		if (isFirstShard && !beat.isLast && this.lease.ensure(sentAt)) this.#introductions.renewed();
		await this.#beats.publish(channel, beat);
		if (isFirstShard) this.lease.renewed(sentAt);
		const isFirst = this.#isFirstBeat;
		this.#isFirstBeat = false;
		failures.beatAccepted(isFirst);
	}

	/** Called once per heartbeat interval, before the beats go out. */
	#onTick(now: number): void {
		this.#isFirstBeat = true;
		this.#forgetNew(now);
		this.#channels.update();
		const isDue = now - this.#lookedAt >= LOOK_PER_NODE_MS * this.#nodeCount;
		if (isDue || this.#options.peers.hasFoundSilent) this.#lookForSilent(now);
		this.#introductions.check();
	}

	#lookForSilent(now: number): void {
		const { peers, missing, directory } = this.#options;
		this.#lookedAt = now;
		if (peers.newlySuspicious(now)) this.#verifyLater();
		this.#passOnSilences(now);
		missing().beats.check(now);
		missing().checkSilentNodes(now);
		this.#mode.update(this.#nodeCount, now);
		// A node that is cut off itself can't tell that others are silent.
		const isCutOff = now - this.own.provenAt() > CUT_OFF_AFTER_BEATS * this.own.intervalMs;
		if (!isCutOff) directory.check(now, (origin) => peers.isAlive(origin));
	}

	/** Has the bus look whether it is on the right server. Many nodes do not look at the same time. */
	#verifyLater(): void {
		const { liveness } = this.#options;
		if (!this.#mode.isCollected) return void liveness.verifyPrimary();
		this.#verifying ??= setTimeout(
			() => {
				this.#verifying = undefined;
				void liveness.verifyPrimary();
			},
			Math.random() * Math.min(VERIFY_PER_NODE_MS * this.#nodeCount, VERIFY_WITHIN_MS),
		);
	}

	/** Tells the other nodes who this one is. */
	async #greet(text: string): Promise<void> {
		const { bus, liveness, failures } = this.#options;
		const [channel] = liveness.heartbeatChannels();
		if (channel !== undefined) await bus.publish(channel, encodeHello(failures.sender(channel), text));
	}

	/** Tells nodes that have started lately which nodes have fallen silent. */
	#passOnSilences(now: number): void {
		const { bus, liveness, peers } = this.#options;
		for (const channel of liveness.heartbeatChannels()) {
			for (const silence of peers.silences(liveness.shardOf(channel), now)) {
				// It is sent several times, and by each node.
				bus.publish(channel, encodeSilence(silence)).catch(() => {});
			}
		}
	}
}
