import { MessageDroppedError } from './errors.ts';
import { decodeFrame, type FrameFault, type Origin } from './frame.ts';
import type { LocalDelivery } from './local-delivery.ts';
import type { Logger } from './logger.ts';
import { BROADCAST_CHANNEL, socketOfChannel } from './names.ts';
import type { Payload } from './payload.ts';

export interface IncomingOptions {
	/** This node, whose own frames come back as echo. */
	readonly origin: Origin;
	readonly local: LocalDelivery;
	readonly logger: Logger;
	/** Something failed that no caller is waiting for. */
	readonly onError: (error: Error) => void;
}

/** Frames from other nodes, on their way to this node's sockets. */
export class Incoming {
	readonly #options: IncomingOptions;
	/** Frames that could not be read. */
	readonly skipped: Record<FrameFault, number> = { 'unknown-version': 0, malformed: 0 };

	constructor(options: IncomingOptions) {
		this.#options = options;
	}

	deliver(channel: string, frame: Uint8Array): void {
		const messages = decodeFrame(frame, this.#options.origin);
		if (messages === 'echo') return;
		if (typeof messages === 'string') {
			this.#skip(channel, messages);
			return;
		}
		const socketId = socketOfChannel(channel);
		for (const message of messages) {
			if (socketId !== undefined) this.#toSocket(socketId, message);
			else if (channel === BROADCAST_CHANNEL) this.#options.local.toAll(message);
			else this.#options.local.toTopic(channel, message);
		}
	}

	#toSocket(socketId: string, payload: Payload): void {
		const delivered = this.#options.local.toSocketId(socketId, payload);
		if (delivered === undefined) this.#options.logger.debug('A message came for a socket that has left', { socketId });
		else if (!delivered) this.#options.onError(new MessageDroppedError(socketId));
	}

	#skip(channel: string, fault: FrameFault): void {
		if (this.skipped[fault]++ > 0) return;
		this.#options.logger.warn(
			`Frames that can't be read (${fault}) arrive and are skipped; said once, counted in getSkippedFrames()`,
			{ channel },
		);
	}
}
