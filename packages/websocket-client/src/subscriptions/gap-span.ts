import type { AnsweredAt, GapNotice } from '@orijs/websocket/protocol';
import { elapsedSince, type ServerTime } from '../connection/server-time.ts';

/** How long a message of another node may take, in milliseconds. */
const IN_TRANSIT_MS = 3_000;

/**
 * Returns the gap from a connection's last proof to the present time of its successor. The clocks of the servers may
 * differ, and may have been set: so each end is where any of them puts it, whichever is furthest out. The time between
 * the two is the client's own.
 *
 * @param now what the successor has answered just now
 */
export function gapBetween(topic: string, last: ServerTime, now: AnsweredAt): GapNotice {
	const elapsedMs = elapsedSince(last);
	const { timestamp, behindMs = 0, aheadMs = 0 } = now;
	const since = Math.min(last.timestamp, timestamp - elapsedMs) - Math.max(last.behindMs, behindMs) - IN_TRANSIT_MS;
	const until = Math.max(timestamp, last.timestamp + elapsedMs) + Math.max(last.aheadMs, aheadMs);
	return { topic, since: Math.max(0, Math.floor(since)), until: Math.ceil(until) };
}
