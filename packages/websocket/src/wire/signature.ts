/**
 * Signatures of frames. A signed frame has the flag {@link SIGNED} in its type, and ends with its signature:
 *
 * ```text
 * signature = signer (f64)  number (f64)  signedAt (f64, ms since the epoch)  mac (16 bytes)
 * mac       = the first half of HMAC-SHA256(key, channel's length in decimal ":" channel, the frame up to the mac)
 * key       = HMAC-SHA256(secret, "orijs frame 1:" namespace of the bus)
 * ```
 *
 * `signer` is the node that has signed, as 53 random bits: the origin of a silence is another one. A node numbers the
 * frames that it signs from 1, by shard.
 */

import { createHmac, timingSafeEqual } from 'node:crypto';
import { isNodeChannel } from './channel-names.ts';
import {
	isByBackend,
	isForSockets,
	isReadable,
	type Origin,
	randomOrigin,
	shardOf,
	SIGNATURE_BYTES,
	SIGNED,
} from './frame.ts';
import { ReplayWindow } from './replay-window.ts';

const MAC_BYTES = 16;
/**
 * A frame is accepted if it was signed within this time before or after the receiver's time, in milliseconds. It covers
 * the time that frames take, and the difference of clocks.
 */
const FRESH_MS = 60_000;

/** Why a frame is not accepted. */
export type SignatureFault = 'unsigned' | 'forged' | 'replayed';

/** The frames that one node has signed. */
interface Signer {
	/** By shard. */
	readonly windows: ReplayWindow[];
	/** When the last frame was accepted, by the monotonic clock. */
	acceptedAt: number;
}

/**
 * Signs and checks the frames between nodes that share a secret. Signed is what acts on nodes: beats, gap notices and
 * the like, and texts for nodes, by which sockets are subscribed and disconnected. What nodes only pass on to sockets
 * is not signed, because that would double the cost of small messages; nor are digests, because the backend makes them.
 */
export class FrameSignatures {
	readonly #secrets: readonly Uint8Array[];
	readonly #acceptsUnsigned: boolean;
	#keys: readonly Buffer[] = [];
	/** The number of the last frame signed, by shard. */
	readonly #numbers: number[] = [];
	/** This node. */
	readonly #signer = randomOrigin();
	readonly #signers = new Map<Origin, Signer>();

	/** @param secrets the first one signs; what any of them has signed is accepted */
	constructor(secrets: readonly Uint8Array[], acceptsUnsigned: boolean) {
		this.#secrets = secrets;
		this.#acceptsUnsigned = acceptsUnsigned;
	}

	/** Sets the namespace of the bus. Must be called before frames are signed or checked. */
	open(namespace: string): void {
		this.#keys = this.#secrets.map((secret) =>
			createHmac('sha256', secret).update(`orijs frame 1:${namespace}`).digest(),
		);
	}

	/** Returns the frame with a signature if it needs one, otherwise the frame itself. */
	sign(channel: string, frame: Uint8Array): Uint8Array {
		return mustBeSigned(channel, frame) ? this.#signed(channel, frame) : frame;
	}

	/** Returns why a frame that has arrived must be skipped; undefined if it is accepted, or can't be read anyway. */
	check(channel: string, bytes: Uint8Array): SignatureFault | undefined {
		if (!isReadable(bytes)) return undefined;
		if (((bytes[1] as number) & SIGNED) === 0)
			return this.#acceptsUnsigned || !mustBeSigned(channel, bytes) ? undefined : 'unsigned';
		const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		const macAt = frame.length - MAC_BYTES;
		const content = frame.subarray(0, macAt);
		const mac = frame.subarray(macAt);
		if (!this.#keys.some((key) => timingSafeEqual(macOf(key, channel, content), mac))) return 'forged';
		const signatureAt = frame.length - SIGNATURE_BYTES;
		const signedAt = frame.readDoubleBE(signatureAt + 16);
		if (Math.abs(Date.now() - signedAt) > FRESH_MS) return 'replayed';
		const window = this.#windowOf(frame.readDoubleBE(signatureAt), shardOf(frame));
		return window.take(frame.readDoubleBE(signatureAt + 8)) ? undefined : 'replayed';
	}

	#signed(channel: string, frame: Uint8Array): Buffer {
		const signed = Buffer.allocUnsafe(frame.length + SIGNATURE_BYTES);
		signed.set(frame);
		signed[1] = (frame[1] as number) | SIGNED;
		const shard = shardOf(signed);
		const number = (this.#numbers[shard] ?? 0) + 1;
		this.#numbers[shard] = number;
		let at = signed.writeDoubleBE(this.#signer, frame.length);
		at = signed.writeDoubleBE(number, at);
		at = signed.writeDoubleBE(Date.now(), at);
		signed.set(macOf(this.#keys[0] as Buffer, channel, signed.subarray(0, at)), at);
		return signed;
	}

	#windowOf(origin: Origin, shard: number): ReplayWindow {
		const now = performance.now();
		let signer = this.#signers.get(origin);
		if (signer === undefined) {
			this.#forget(now);
			this.#signers.set(origin, (signer = { windows: [], acceptedAt: now }));
		}
		signer.acceptedAt = now;
		return (signer.windows[shard] ??= new ReplayWindow());
	}

	/** Forgets the nodes whose frames are all too old to be accepted once more. */
	#forget(now: number): void {
		// A frame may have been signed up to FRESH_MS in the future.
		for (const [origin, { acceptedAt }] of this.#signers)
			if (now - acceptedAt > 2 * FRESH_MS) this.#signers.delete(origin);
	}
}

function mustBeSigned(channel: string, frame: Uint8Array): boolean {
	return isForSockets(frame) ? isNodeChannel(channel) : !isByBackend(frame);
}

function macOf(key: Buffer, channel: string, content: Uint8Array): Buffer {
	return createHmac('sha256', key)
		.update(`${channel.length}:${channel}`)
		.update(content)
		.digest()
		.subarray(0, MAC_BYTES);
}
