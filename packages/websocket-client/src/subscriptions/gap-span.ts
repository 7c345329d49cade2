import type { GapNotice } from '@orijs/websocket/protocol';
import { elapsedSince, type ServerTime } from '../connection/server-time.ts';

/** How long a message of another node may take, or its loss stay unnoticed by the client's node, in milliseconds. */
const IN_TRANSIT_MS = 3_000;

/**
 * Returns the gap from a connection's last proof to the present time of its successor. Their servers' clocks may
 * differ, and a clock may have been set: so each end is where the one or the other clock puts it, whichever is further
 * out. The time between the two is the client's own, which had begun before `last` was read.
 *
 * @param now the successor's time, read by its server just now
 */
export function gapBetween(topic: string, last: ServerTime, now: number): GapNotice {
	const elapsedMs = elapsedSince(last);
	const since = Math.min(last.timestamp, now - elapsedMs) - IN_TRANSIT_MS;
	const until = Math.max(now, last.timestamp + elapsedMs);
	return { topic, since: Math.max(0, Math.floor(since)), until: Math.ceil(until) };
}
