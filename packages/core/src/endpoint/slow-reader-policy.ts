import { CloseCode } from '@orijs/websocket/protocol';
import type { Refusals } from '../refusals.ts';
import type { GapForwarding } from '../session/gap-forwarding.ts';
import type { Session } from '../session/session.ts';
import type { WebSocketOptions } from '../websocket-options.ts';

/**
 * The most bytes that can be sent to a socket before its backpressure is checked. The check can come this late because
 * Bun batches small messages.
 */
const UNCHECKED_BYTES = 4 * 1024 * 1024;

/** The option `slowReaders`. */
type Policy = NonNullable<WebSocketOptions['slowReaders']>;

/** Returns Bun's own backpressure limit, which applies to all sockets of a server. */
export function backpressureLimits(policy: Policy, queuedBytes: number): BackpressureLimits {
	const drops = policy === 'drop';
	return {
		// With `close`, slow readers are detected at `queuedBytes`, and Bun's higher limit is only a backstop for large
		// batches. At that limit Bun must close the connection: otherwise it would drop messages silently.
		backpressureLimit: drops ? queuedBytes : 2 * queuedBytes + UNCHECKED_BYTES,
		closeOnBackpressureLimit: !drops,
	};
}

interface BackpressureLimits {
	backpressureLimit: number;
	closeOnBackpressureLimit: boolean;
}

export interface SlowReaderPolicyOptions {
	readonly policy: Policy;
	readonly queuedBytes: number;
	readonly refusals: Refusals;
	readonly gapNotices: GapForwarding;
}

/** Disconnects clients that read too slowly, or drops messages to them and later notifies them of the gap. */
export class SlowReaderPolicy {
	readonly #options: SlowReaderPolicyOptions;
	readonly #drops: boolean;

	constructor(options: SlowReaderPolicyOptions) {
		this.#options = options;
		this.#drops = options.policy === 'drop';
	}

	/** Called when more than `queuedBytes` are buffered for a client. */
	onLimitReached(session: Session): void {
		this.onDetected(session, Date.now());
		if (!this.#drops) session.end(CloseCode.tryAgainLater, 'reads too slowly');
	}

	/**
	 * Records that a client reads too slowly. If the provider detected this, it has already closed the connection,
	 * unless the policy is `drop`.
	 *
	 * @param since the time from which messages may have been dropped (ms since the epoch)
	 */
	onDetected(session: Session, since: number): void {
		if (this.#drops) {
			if (session.droppingSince !== undefined) return;
			session.droppingSince = Math.min(since, this.#options.gapNotices.earliestArriving());
		}
		this.#options.refusals.add('slowReader', { socketId: session.socketId });
	}

	/**
	 * Called when some of the bytes buffered for a client have been sent. If few bytes are left, sends the client its
	 * gap notices.
	 */
	onDrain(session: Session): void {
		const since = session.droppingSince;
		if (since === undefined || session.ws.getBufferedAmount() > this.#options.queuedBytes / 4) return;
		// If a notice can't be sent, the next drain event tries again with the same `since`.
		if (this.#options.gapNotices.notifyOne(session, since)) session.droppingSince = undefined;
	}
}
