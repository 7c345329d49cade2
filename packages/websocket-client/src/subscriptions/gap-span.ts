import type { AnsweredAt, GapNotice } from '@orijs/websocket/protocol';
import { elapsedSince, type ServerTime } from '../connection/server-time.ts';

/** How long a message from another node may be in transit, in milliseconds. */
const IN_TRANSIT_MS = 3_000;

/**
 * Returns the gap between the last answer on a lost connection and an answer on its successor. The clocks
 * of the servers may differ, and a clock may have been set. Each end of the gap is therefore computed by the clock of
 * every server, and the widest result is used. The time between the two ends is measured by the client's clocks.
 *
 * @param now has just been received
 */
export function gapBetween(topic: string, last: ServerTime, now: AnsweredAt): GapNotice {
	const { lagMs = 0 } = last;
	const elapsedMs = elapsedSince(last);
	const widest = (side: 'behindMs' | 'aheadMs'): number => Math.max(last[side] ?? 0, now[side] ?? 0);
	const since = Math.min(last.timestamp, now.timestamp - elapsedMs) - lagMs - widest('behindMs') - IN_TRANSIT_MS;
	const until = Math.max(now.timestamp, last.timestamp + elapsedMs) + widest('aheadMs');
	return { topic, since: Math.max(0, Math.floor(since)), until: Math.ceil(until) };
}
