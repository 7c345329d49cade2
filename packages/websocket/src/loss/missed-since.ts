import { OVERDUE_AFTER_BEATS } from './beat-timing.ts';
import { type Accounted, later, type Peer, type Proof, SMALLEST_STEP_MS } from './peer.ts';

/** The current subscriptions of this node to a shard. All times are by the monotonic clock. */
export interface Listening {
	readonly since: number;
	/**
	 * When the interruption before `since` began; -Infinity without an interruption. What was published in between has
	 * been reported as missing.
	 */
	readonly interruptedAt: number;
	/** The result of {@link PeerBeats.arrivedUntil} before that interruption. */
	readonly arrivedUntil: number;
}

/**
 * Returns the time up to which a node's messages are accounted for, if news of it show that later ones may have been
 * missed; otherwise undefined.
 *
 * @param startedAt when this node was started, by the monotonic clock
 */
export function missedSince(peer: Peer, proof: Proof, listening: Listening, startedAt: number): Accounted | undefined {
	const { first, at, sentAt } = proof;
	const { since, interruptedAt } = listening;
	// A beat can arrive shortly before this node starts. That is no interruption.
	const isFirstAfterInterruption = interruptedAt > -Infinity && peer.heardAt < since;
	// If that node's clock has been set, the report of the interruption did not cover the span by the new clock.
	if (isFirstAfterInterruption && Math.abs(sentAt - at - peer.aheadMs) > SMALLEST_STEP_MS) {
		// By the clock as it was; the news themselves tell how it is set now.
		return later(peer.accounted, Math.min(interruptedAt, peer.receivedAt));
	}
	// A node that was silent before may have failed to publish, and have said so while this node was interrupted.
	if (isFirstAfterInterruption && peer.accounted.at < since) return peer.accounted;
	if (first <= peer.number + 1) return undefined;
	if (peer.isHearsay) return missedBeforeFirst(proof, listening, startedAt);
	// The missing beats may belong to an interruption that has already been reported.
	if (isFirstAfterInterruption && areBefore(since, proof)) return undefined;
	return peer.accounted;
}

/**
 * Like {@link missedSince}, for the first news of a node. If they do not begin with its number 1, earlier beats should
 * have arrived, too.
 */
export function missedBeforeFirst(proof: Proof, listening: Listening, startedAt: number): Accounted | undefined {
	const { number, first, at, sentAt, intervalMs } = proof;
	const { since, interruptedAt } = listening;
	if (number <= 1) return undefined;
	const nodeStartedAt = at - number * intervalMs;
	const isCovered = first <= 1 || areBefore(since, proof);
	// What was sent before this node started is not missing.
	if (isCovered && interruptedAt === -Infinity) return undefined;
	if (first <= 1 && nodeStartedAt > since) return undefined;
	const isJustAfter = isCovered && nodeStartedAt >= interruptedAt - OVERDUE_AFTER_BEATS * intervalMs;
	// What was sent during an interruption has been reported, but not by the clock of a node that was not known yet.
	const from = Math.max(startedAt, isJustAfter ? interruptedAt : -Infinity, nodeStartedAt);
	return { at: from, sentAt: sentAt - (at - from) };
}

/** Returns whether the beats before the first one that is proven were accepted before this node began to listen. */
function areBefore(since: number, { beforeFirstAt, intervalMs }: Proof): boolean {
	return beforeFirstAt - since <= (OVERDUE_AFTER_BEATS - 1) * intervalMs;
}
