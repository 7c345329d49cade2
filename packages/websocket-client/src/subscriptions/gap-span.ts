import type { AnsweredAt, GapNotice } from '@orijs/websocket/protocol';
import { elapsedSince, type ServerTime } from '../connection/server-time.ts';

/** How long a message from another node may be in transit, in milliseconds. */
const IN_TRANSIT_MS = 3_000;

/**
 * Returns the gap between the last proven time of a lost connection and the current time of its successor. The clocks
 * of the servers may differ, and a clock may have been set. Each end of the gap is therefore computed by the clock of
 * every server, and the widest result is used. The time between the two ends is measured by the client's clocks.
 *
 * @param now the latest answer of the successor's server
 */
export function gapBetween(topic: string, last: ServerTime, now: AnsweredAt): GapNotice {
	const elapsedMs = elapsedSince(last);
	const { timestamp, behindMs = 0, aheadMs = 0 } = now;
	const since = Math.min(last.timestamp, timestamp - elapsedMs) - Math.max(last.behindMs, behindMs) - IN_TRANSIT_MS;
	const until = Math.max(timestamp, last.timestamp + elapsedMs) + Math.max(last.aheadMs, aheadMs);
	return { topic, since: Math.max(0, Math.floor(since)), until: Math.ceil(until) };
}
