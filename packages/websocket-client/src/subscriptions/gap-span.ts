import type { GapNotice } from '@orijs/websocket/protocol';

/** How long a message of another node may have been under way, or its loss unnoticed by the client's own node, in milliseconds. */
const UNDER_WAY_MS = 3_000;

/** A gap. What another server's clock says may be earlier than it began; it does not end before that. */
export function gapBetween(topic: string, since: number, until: number): GapNotice {
	return { topic, since, until: Math.max(since, until) };
}

/**
 * Since when messages may be missing after a connection was lost, by the server's clock: what its node had by the time of `provenAt` has
 * arrived, but a message of another node may not have reached it by then.
 */
export function missingSince(provenAt: number): number {
	return provenAt - UNDER_WAY_MS;
}
