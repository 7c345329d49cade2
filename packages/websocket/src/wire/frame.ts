/**
 * The binary frames that nodes exchange; numbers are big-endian:
 *
 * ```text
 * frame    = version (u8: 1)  type (u8)  origin (f64, the publishing node)  shard (u16)  incarnation (u32)  body
 * messages = type 0: see frame-messages.ts
 * beat     = type 1: number (f64)  interval (u32, ms)  sentAt (f64, ms since the epoch)
 *            flags (u8: 1 last, 2 ends shared)  leastSkew (f64, ms)  mostSkew (f64, ms)
 *            sharedFrom (f64)  connections (u32)  topics (u32)  pause (u32, ms)  run (u32)
 * gap      = type 2: scope (u8: 1 everything, 2 stored, 4 misled)  since (f64)  until (f64)  sentAt (f64)
 * silence  = type 3: number (f64)  interval (u32, ms)  sentAt (f64)  silentMs (u32)
 * digest   = type 4: see digest.ts
 * hello    = type 5: text (UTF-8), see nodes/node-description.ts
 * presence = type 7: see presence-frame.ts
 * for node = type 6: messages, with texts for the node among them
 * ```
 *
 * With the flag 128 in its type, a frame ends with a signature: see signature.ts.
 * The origin of a silence is the node that has fallen silent; another node sends the frame for it.
 * `shard` is the shard that the frame was published to. `incarnation` grows each time the node's connection to that
 * shard fails: frames that a failed connection delivers later are recognized by their lower incarnation.
 */

import { type Counts, type DigestContent, readDigest } from './digest.ts';
import { MessageRuns, type Message, readMessages } from './frame-messages.ts';
import { type PresenceContent, readPresence } from './presence-frame.ts';
import type { Skews } from './skews.ts';

const VERSION = 1;
const MESSAGES = 0;
const BEAT = 1;
const GAP = 2;
const SILENCE = 3;
const DIGEST = 4;
const HELLO = 5;
const FOR_NODE = 6;
const PRESENCE = 7;
/** A flag in the type of a frame: it ends with a signature. */
export const SIGNED = 0x80;
export const SIGNATURE_BYTES = 40;
const LAST = 1;
const ENDS_SHARED = 2;
const EVERYTHING = 1;
const STORED = 2;
const MISLED = 4;
const HEADER_BYTES = 16;
const BEAT_BYTES = HEADER_BYTES + 61;
const MAX_U32 = 0xffffffff;
const GAP_BYTES = HEADER_BYTES + 25;
const SILENCE_BYTES = HEADER_BYTES + 24;

/** A node's identity on the bus: 53 random bits, exact in a number. */
export type Origin = number;

export function randomOrigin(): Origin {
	const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
	return (high & 0x1fffff) * 2 ** 32 + low;
}

/** The sender of a frame, and the connection that it used. */
export interface Sender {
	readonly origin: Origin;
	readonly shard: number;
	readonly incarnation: number;
}

/** A heartbeat. */
export interface Beat extends Sender {
	readonly type: 'beat';
	/** The number of this beat: how many beats on this shard the backend has accepted, this one included. */
	readonly number: number;
	/** The time between two beats, in milliseconds. */
	readonly intervalMs: number;
	/** Whether this is the last beat of a node that is stopping. */
	readonly isLast: boolean;
	/** When the beat was sent, in milliseconds since the epoch, by the sender's clock. */
	readonly sentAt: number;
	/**
	 * The least and the greatest skew of the nodes whose beats the sender has lately received: how far its own clock is
	 * ahead of theirs. A node that has just started learns from it about the clocks of nodes that have stopped.
	 */
	readonly skews: Skews;
	/**
	 * The number from which on all beats were published to the heartbeat channel. Earlier ones may have been published
	 * to the node's own channel: that they did not arrive means nothing.
	 */
	readonly sharedFrom: number;
	/** Whether the next beats will be published to the node's own channel, so that only digests tell of them. */
	readonly endsShared: boolean;
	/** The time between this beat and the one before that was accepted, in milliseconds, capped at the largest u32. */
	readonly pauseMs: number;
	/**
	 * How many consecutive beats, of which this is the last, were published over one connection of the sender, so that
	 * the same server has accepted all of them. 1 if the sender can't tell.
	 */
	readonly run: number;
	readonly counts: Counts;
}

/**
 * Tells other nodes that the sender was unable to publish messages. Times are by the sender's clock, in milliseconds
 * since the epoch.
 */
export interface GapNotice extends Sender {
	readonly type: 'gap';
	/** Whether all channels are affected, or only the one that the notice arrived on. */
	readonly everything: boolean;
	/**
	 * Whether messages on topics with history are affected as well: they were stored on a server that other nodes do not
	 * use.
	 */
	readonly stored: boolean;
	/** Whether the sender stored messages on a wrong server, of topics that it also names one by one. */
	readonly misled: boolean;
	readonly since: number;
	readonly until: number;
	readonly sentAt: number;
}

/**
 * Passes on the last beat of a node that has fallen silent to nodes that have never received one of its beats. Its
 * origin is that node, not the node that sends the frame.
 */
export interface Silence extends Sender, Pick<Beat, 'number' | 'intervalMs' | 'sentAt'> {
	readonly type: 'silence';
	/** How long ago the beat arrived, in milliseconds. */
	readonly silentMs: number;
}

/** Says what the server of a shard has accepted. Its sender is the node whose beat caused it. */
export interface Digest extends Sender, DigestContent {
	readonly type: 'digest';
}

/** Says who the sender is. */
export interface Hello extends Sender {
	readonly type: 'hello';
	readonly text: string;
}

export interface Messages extends Sender {
	readonly type: 'messages';
	readonly messages: readonly Message[];
}

/** Says what has changed in the presence of a topic. Its sender is the node whose change it is. */
export interface Presence extends Sender, PresenceContent {
	readonly type: 'presence';
}

export type Frame = Messages | Beat | GapNotice | Silence | Digest | Hello | Presence;

/** Why a frame can't be read: it was written by another release, or not by this system at all. */
export type FrameFault = 'unknown-version' | 'malformed';

export function encodeMessages(sender: Sender, messages: readonly Message[]): Buffer {
	const runs = new MessageRuns(messages);
	const frame = begin(HEADER_BYTES + runs.size, runs.areForNode ? FOR_NODE : MESSAGES, sender);
	runs.write(frame, HEADER_BYTES);
	return frame;
}

export function encodeBeat(sender: Sender, beat: Omit<Beat, keyof Sender | 'type'>): Buffer {
	const { number, intervalMs, sentAt, isLast, skews, sharedFrom, endsShared, counts, pauseMs, run } = beat;
	const frame = begin(BEAT_BYTES, BEAT, sender);
	frame.writeDoubleBE(number, HEADER_BYTES);
	frame.writeUInt32BE(intervalMs, HEADER_BYTES + 8);
	frame.writeDoubleBE(sentAt, HEADER_BYTES + 12);
	frame[HEADER_BYTES + 20] = (isLast ? LAST : 0) | (endsShared ? ENDS_SHARED : 0);
	frame.writeDoubleBE(skews.least, HEADER_BYTES + 21);
	frame.writeDoubleBE(skews.most, HEADER_BYTES + 29);
	frame.writeDoubleBE(sharedFrom, HEADER_BYTES + 37);
	frame.writeUInt32BE(counts.connections, HEADER_BYTES + 45);
	frame.writeUInt32BE(counts.topics, HEADER_BYTES + 49);
	frame.writeUInt32BE(Math.min(Math.floor(pauseMs), MAX_U32), HEADER_BYTES + 53);
	frame.writeUInt32BE(Math.min(run, MAX_U32), HEADER_BYTES + 57);
	return frame;
}

/** Encodes the start of the digests that a beat causes, up to `kind`. */
export function encodeDigestHeader(sender: Sender, skews: Skews): Buffer {
	const header = begin(HEADER_BYTES + 16, DIGEST, sender);
	header.writeDoubleBE(skews.least, HEADER_BYTES);
	header.writeDoubleBE(skews.most, HEADER_BYTES + 8);
	return header;
}

/** Encodes the start of the presence frames that a change of this node causes. */
export function encodePresenceHeader(sender: Sender): Buffer {
	return begin(HEADER_BYTES, PRESENCE, sender);
}

export function encodeHello(sender: Sender, text: string): Buffer {
	const frame = begin(HEADER_BYTES + Buffer.byteLength(text), HELLO, sender);
	frame.write(text, HEADER_BYTES);
	return frame;
}

export function encodeGap(sender: Sender, notice: Omit<GapNotice, keyof Sender | 'type'>): Buffer {
	const frame = begin(GAP_BYTES, GAP, sender);
	frame[HEADER_BYTES] =
		(notice.everything ? EVERYTHING : 0) | (notice.stored ? STORED : 0) | (notice.misled ? MISLED : 0);
	frame.writeDoubleBE(notice.since, HEADER_BYTES + 1);
	frame.writeDoubleBE(notice.until, HEADER_BYTES + 9);
	frame.writeDoubleBE(notice.sentAt, HEADER_BYTES + 17);
	return frame;
}

export function encodeSilence({ number, intervalMs, sentAt, silentMs, ...sender }: Omit<Silence, 'type'>): Buffer {
	const frame = begin(SILENCE_BYTES, SILENCE, sender);
	frame.writeDoubleBE(number, HEADER_BYTES);
	frame.writeUInt32BE(intervalMs, HEADER_BYTES + 8);
	frame.writeDoubleBE(sentAt, HEADER_BYTES + 12);
	frame.writeUInt32BE(Math.ceil(silentMs), HEADER_BYTES + 20);
	return frame;
}

function begin(size: number, type: number, { origin, shard, incarnation }: Sender): Buffer {
	const frame = Buffer.allocUnsafe(size);
	frame[0] = VERSION;
	frame[1] = type;
	frame.writeDoubleBE(origin, 2);
	frame.writeUInt16BE(shard, 10);
	frame.writeUInt32BE(incarnation, 12);
	return frame;
}

/**
 * Decodes a frame, or returns the reason why it can't be read. Returns 'echo' for messages that this node itself
 * published, which are not decoded.
 */
export function decodeFrame(bytes: Uint8Array, self: Origin): Frame | 'echo' | FrameFault {
	if (bytes.length === 0) return 'malformed';
	if (bytes[0] !== VERSION) return 'unknown-version';
	if (bytes.length < HEADER_BYTES) return 'malformed';

	let frame = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	let type = frame[1] as number;
	if (type >= SIGNED) {
		if (!isReadable(bytes)) return 'malformed';
		frame = frame.subarray(0, -SIGNATURE_BYTES);
		type -= SIGNED;
	}
	const origin = frame.readDoubleBE(2);
	if ((type === MESSAGES || type === FOR_NODE) && origin === self) return 'echo';
	const shard = shardOf(frame);
	const incarnation = frame.readUInt32BE(12);
	switch (type) {
		case MESSAGES:
		case FOR_NODE: {
			const messages = readMessages(frame, HEADER_BYTES, type === FOR_NODE);
			return messages === undefined ? 'malformed' : { type: 'messages', origin, shard, incarnation, messages };
		}
		case BEAT:
			return frame.length === BEAT_BYTES
				? { type: 'beat', origin, shard, incarnation, ...readBeat(frame) }
				: 'malformed';
		case GAP:
			return frame.length === GAP_BYTES ? { type: 'gap', origin, shard, incarnation, ...readGap(frame) } : 'malformed';
		case SILENCE:
			return frame.length === SILENCE_BYTES
				? { type: 'silence', origin, shard, incarnation, ...readSilence(frame) }
				: 'malformed';
		case DIGEST: {
			const digest = readDigest(frame, HEADER_BYTES);
			return digest === undefined ? 'malformed' : { type: 'digest', origin, shard, incarnation, ...digest };
		}
		case HELLO:
			return { type: 'hello', origin, shard, incarnation, text: frame.toString('utf8', HEADER_BYTES) };
		case PRESENCE: {
			const presence = readPresence(frame, HEADER_BYTES);
			return presence === undefined ? 'malformed' : { type: 'presence', origin, shard, incarnation, ...presence };
		}
		default:
			return 'malformed';
	}
}

/** Returns whether a frame has a known version, and is long enough for its header and its signature, if it has one. */
export function isReadable(frame: Uint8Array): boolean {
	const least = ((frame[1] ?? 0) & SIGNED) === 0 ? HEADER_BYTES : HEADER_BYTES + SIGNATURE_BYTES;
	return frame[0] === VERSION && frame.length >= least;
}

/** Returns whether a frame holds only messages for sockets. */
export function isForSockets(frame: Uint8Array): boolean {
	return frame[1] === MESSAGES;
}

/** Returns whether a frame is one that the backend puts together. */
export function isByBackend(frame: Uint8Array): boolean {
	return frame[1] === DIGEST || frame[1] === PRESENCE;
}

export function shardOf(frame: Buffer): number {
	return frame.readUInt16BE(10);
}

function readBeat(frame: Buffer): Omit<Beat, keyof Sender | 'type'> {
	const flags = frame[HEADER_BYTES + 20] ?? 0;
	return {
		number: frame.readDoubleBE(HEADER_BYTES),
		intervalMs: frame.readUInt32BE(HEADER_BYTES + 8),
		sentAt: frame.readDoubleBE(HEADER_BYTES + 12),
		isLast: (flags & LAST) !== 0,
		endsShared: (flags & ENDS_SHARED) !== 0,
		skews: { least: frame.readDoubleBE(HEADER_BYTES + 21), most: frame.readDoubleBE(HEADER_BYTES + 29) },
		sharedFrom: frame.readDoubleBE(HEADER_BYTES + 37),
		counts: {
			connections: frame.readUInt32BE(HEADER_BYTES + 45),
			topics: frame.readUInt32BE(HEADER_BYTES + 49),
		},
		pauseMs: frame.readUInt32BE(HEADER_BYTES + 53),
		run: frame.readUInt32BE(HEADER_BYTES + 57),
	};
}

function readSilence(frame: Buffer): Omit<Silence, keyof Sender | 'type'> {
	return {
		number: frame.readDoubleBE(HEADER_BYTES),
		intervalMs: frame.readUInt32BE(HEADER_BYTES + 8),
		sentAt: frame.readDoubleBE(HEADER_BYTES + 12),
		silentMs: frame.readUInt32BE(HEADER_BYTES + 20),
	};
}

function readGap(frame: Buffer): Omit<GapNotice, keyof Sender | 'type'> {
	const scope = frame[HEADER_BYTES] ?? 0;
	return {
		everything: (scope & EVERYTHING) !== 0,
		stored: (scope & STORED) !== 0,
		misled: (scope & MISLED) !== 0,
		since: frame.readDoubleBE(HEADER_BYTES + 1),
		until: frame.readDoubleBE(HEADER_BYTES + 9),
		sentAt: frame.readDoubleBE(HEADER_BYTES + 17),
	};
}
