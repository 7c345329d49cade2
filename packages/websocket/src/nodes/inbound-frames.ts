import { MessageDroppedError } from '../errors.ts';
import {
	type Beat,
	decodeFrame,
	type Digest,
	type FrameFault,
	type GapNotice,
	type Hello,
	type Origin,
	type Presence,
	type Sender,
	type Silence,
} from '../wire/frame.ts';
import { Except, ForNode, type Message, MistakableText } from '../wire/frame-messages.ts';
import type { LocalFanout } from '../sockets/local-fanout.ts';
import type { Logger } from '../logger.ts';
import { BROADCAST_CHANNEL, isNodeChannel, socketOfChannel } from '../wire/channel-names.ts';
import { type LogKind, type LogThrottle, throttleOf } from '../support/log-throttle.ts';
import type { Payload } from '../wire/payload.ts';
import type { SkippedFrames } from '../provider-contract.ts';
import type { SignatureFault } from '../wire/signature.ts';

export interface InboundFramesOptions {
	/** The origin of this node. It marks the frames that this node published itself and that come back as an echo. */
	readonly origin: Origin;
	readonly local: LocalFanout;
	readonly logger: Logger;
	/**
	 * Returns whether a frame was sent over a connection that has since failed, so that its messages belong to a gap.
	 */
	readonly isLate: (sender: Sender) => boolean;
	/** Called for the beats of all nodes, including this one. */
	readonly onBeat: (channel: string, beat: Beat) => void;
	readonly onDigest: (channel: string, digest: Digest) => void;
	/** Called when who is in a topic has changed. @param isOwn whether this node has caused it */
	readonly onPresence: (channel: string, presence: Presence, isOwn: boolean) => void;
	/** Called when another node has said who it is. */
	readonly onHello: (hello: Hello) => void;
	/** Called when another node has sent this one a message. */
	readonly onNodeMessage: (text: string) => void;
	readonly onGapNotice: (channel: string, notice: GapNotice) => void;
	/** Called when another node reports that a node has fallen silent, unless that is this node. */
	readonly onSilence: (silence: Silence) => void;
	/** Called when a frame written by another release has been skipped. */
	readonly onUnreadable: (channel: string) => void;
	/** Called when an operation has failed in the background. */
	readonly onError: (error: Error) => void;
}

const LATE: LogKind = { key: 'late message', summary: 'A message arrived for a socket that has disconnected' };

export const NOTHING_SKIPPED: SkippedFrames = {
	'unknown-version': 0,
	malformed: 0,
	late: 0,
	unsigned: 0,
	forged: 0,
	replayed: 0,
};

const WHAT: Readonly<Record<FrameFault | SignatureFault, string>> = {
	'unknown-version': 'unreadable frames',
	malformed: 'unreadable frames',
	unsigned: 'frames without a signature: a node has no secret, or something else publishes on its channels',
	forged: 'frames with a wrong signature: a node has another secret, or something else publishes on its channels',
	replayed: "frames that have arrived before, or were signed more than a minute off this node's time",
};

/** Decodes the frames that arrive from other nodes, and passes on their contents. */
export class InboundFrames {
	readonly #options: InboundFramesOptions;
	readonly #throttle: LogThrottle;
	readonly #skipped: Record<keyof SkippedFrames, number> = { ...NOTHING_SKIPPED };

	constructor(options: InboundFramesOptions) {
		this.#options = options;
		this.#throttle = throttleOf(options.logger);
	}

	get skipped(): SkippedFrames {
		return this.#skipped;
	}

	deliver(channel: string, bytes: Uint8Array): void {
		const { origin, isLate } = this.#options;
		const frame = decodeFrame(bytes, origin);
		if (frame === 'echo') return;
		if (typeof frame === 'string') {
			this.skip(channel, frame);
			if (frame === 'unknown-version') this.#options.onUnreadable(channel);
		} else if (frame.type === 'digest') {
			// The backend made it, whichever connection the beat came over that caused it.
			this.#options.onDigest(channel, frame);
		} else if (frame.type === 'presence') {
			// So are these.
			this.#options.onPresence(channel, frame, frame.origin === origin);
		} else if (frame.origin !== origin && isLate(frame)) {
			this.#skipped.late++;
		} else if (frame.type === 'messages') {
			this.#toSockets(channel, frame.messages);
		} else if (frame.type === 'beat') {
			this.#options.onBeat(channel, frame);
		} else if (frame.origin === origin) {
			return;
		} else if (frame.type === 'gap') {
			this.#options.onGapNotice(channel, frame);
		} else if (frame.type === 'silence') {
			this.#options.onSilence(frame);
		} else if (frame.type === 'hello') {
			this.#options.onHello(frame);
		}
	}

	#toSockets(channel: string, messages: readonly Message[]): void {
		const { local, onNodeMessage } = this.#options;
		const socketId = socketOfChannel(channel);
		let except: Except | undefined;
		for (const message of messages) {
			if (message instanceof Except) {
				except = message;
				continue;
			}
			if (message instanceof ForNode) {
				onNodeMessage(message.text);
				continue;
			}
			const payload = message instanceof MistakableText ? message.text : message;
			const isFinal = typeof message === 'string';
			if (socketId !== undefined) this.#toSocket(socketId, payload, isFinal);
			else if (channel === BROADCAST_CHANNEL) local.toAll(payload, isFinal);
			else if (isNodeChannel(channel)) onNodeMessage(String(payload));
			else if (except === undefined) local.toTopic(channel, payload, isFinal);
			else local.toTopicExcept(channel, payload, except.socketIds, isFinal);
			except = undefined;
		}
	}

	/** @param isFinal whether the payload is an envelope, or text that can't be mistaken for one */
	#toSocket(socketId: string, payload: Payload, isFinal: boolean): void {
		const delivered = this.#options.local.toSocketId(socketId, payload, isFinal);
		if (delivered === undefined) this.#throttle.add('debug', LATE, LATE.summary, { socketId });
		else if (!delivered) this.#options.onError(new MessageDroppedError(socketId));
	}

	/** Counts a frame that is not delivered, and logs the first one of a kind. */
	skip(channel: string, fault: FrameFault | SignatureFault): void {
		if (this.#skipped[fault]++ > 0) return;
		this.#options.logger.warn(
			`Skipping ${WHAT[fault]} (${fault}). This is logged only once; getSkippedFrames() counts them`,
			{ channel },
		);
	}
}
