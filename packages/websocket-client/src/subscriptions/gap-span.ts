import type { AnsweredAt, GapNotice } from '@orijs/websocket/protocol';
import { elapsedSince, type ServerTime } from '../connection/server-time.ts';

/**
 * Returns the gap between the last answer on a lost connection and an answer on its successor. The clocks
 * of the servers may differ, and a clock may have been set. Each end of the gap is therefore computed by the clock of
 * every server, and the widest result is used. The time between the two ends is measured by the client's clocks.
 *
 * @param now has just been received
 */
export function gapBetween(topic: string, last: ServerTime, now: AnsweredAt): GapNotice {
	/** How long a message from another node may be in transit, in milliseconds. */
	const IN_TRANSIT_MS = 3_000;
	/** Negative if more time has passed by the client's clocks than between those of the servers. */
	const skewMs = Math.min(0, now.timestamp - elapsedSince(last) - last.timestamp);
	const since =
		last.timestamp + skewMs - (last.lagMs ?? 0) - Math.max(last.behindMs ?? 0, now.behindMs ?? 0) - IN_TRANSIT_MS;
	const until = now.timestamp - skewMs + Math.max(last.aheadMs ?? 0, now.aheadMs ?? 0);
	return { topic, since: Math.max(0, Math.floor(since)), until: Math.ceil(until) };
}
