import { CloseCode } from '@orijs/websocket/protocol';
import type { WebSocketHandler } from 'bun';
import type { Refusals } from '../refusals.ts';
import type { GapForwarding } from '../session/gap-forwarding.ts';
import type { Session } from '../session/session.ts';

/** The most that may be sent to a socket before its backpressure is checked: Bun batches small messages. */
const UNCHECKED_BYTES = 4 * 1024 * 1024;

export interface SlowReaderPolicyOptions {
	readonly policy: 'close' | 'drop';
	readonly queuedBytes: number;
	readonly refusals: Refusals;
	/** Undefined where clients don't know gap notices. */
	readonly gapNotices: GapForwarding | undefined;
}

/** Disconnects clients that read too slowly; or drops messages to them, and later tells them which may be missing. */
export class SlowReaderPolicy {
	readonly #options: SlowReaderPolicyOptions;
	readonly #drops: boolean;

	constructor(options: SlowReaderPolicyOptions) {
		this.#options = options;
		this.#drops = options.policy === 'drop';
	}

	/** Bun's own limit. */
	bunOptions(): Pick<WebSocketHandler<unknown>, 'backpressureLimit' | 'closeOnBackpressureLimit'> {
		const { queuedBytes } = this.#options;
		return {
			// Slow readers are detected at `queuedBytes`. Bun's limit is a backstop for larger batches; if it did not
			// close the connection there, it would drop messages silently.
			backpressureLimit: this.#drops ? queuedBytes : 2 * queuedBytes + UNCHECKED_BYTES,
			closeOnBackpressureLimit: !this.#drops,
		};
	}

	/** More than `queuedBytes` are buffered for a client. */
	onLimitReached(session: Session): void {
		this.onDetected(session, Date.now());
		if (!this.#drops) session.end(CloseCode.tryAgainLater, 'reads too slowly');
	}

	/**
	 * A slow reader was detected; by the provider, which has closed it already unless messages are dropped.
	 *
	 * @param since when the first message may have been dropped (ms since the epoch)
	 */
	onDetected(session: Session, since: number): void {
		if (this.#drops) {
			if (session.droppingSince !== undefined) return;
			session.droppingSince = since;
		}
		this.#options.refusals.add('slowReader', { socketId: session.socketId });
	}

	/** A client has read some of its buffer. Once it has read most of it, it gets its gap notices. */
	onDrain(session: Session): void {
		const since = session.droppingSince;
		if (since === undefined || session.ws.getBufferedAmount() > this.#options.queuedBytes / 4) return;
		// If a notice can't be sent, the next drain tries again, with the same `since`.
		if (this.#options.gapNotices?.notifyOne(session, since) !== false) session.droppingSince = undefined;
	}
}
