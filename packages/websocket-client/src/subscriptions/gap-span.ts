import type { GapNotice } from '@orijs/websocket/protocol';
import { elapsedSince, type ServerTime } from '../connection/server-time.ts';

/**
 * How long a message from another node may be in transit, or its loss unnoticed by the client's node, in milliseconds.
 */
const IN_TRANSIT_MS = 3_000;

/**
 * Returns the gap between the last proven time of a lost connection and the current time of its successor. The clocks
 * of the two servers may differ, and a clock may have been set. Each end of the gap is therefore computed by both
 * clocks, and the wider result is used. The time between the two ends is measured by the client's clocks, from before
 * the server read its clock for `last`.
 *
 * @param now the current time of the successor's server
 */
export function gapBetween(topic: string, last: ServerTime, now: number): GapNotice {
	const elapsedMs = elapsedSince(last);
	const since = Math.min(last.timestamp, now - elapsedMs) - IN_TRANSIT_MS;
	const until = Math.max(now, last.timestamp + elapsedMs);
	return { topic, since: Math.max(0, Math.floor(since)), until: Math.ceil(until) };
}
