import type { GapNotice } from '@orijs/websocket/protocol';

/** How long a message of another node may take, or its loss stay unnoticed by the client's node, in milliseconds. */
const IN_TRANSIT_MS = 3_000;

/** Returns a gap that does not end before it began, even if another server's clock is behind. */
export function gapBetween(topic: string, since: number, until: number): GapNotice {
	return { topic, since, until: Math.max(since, until) };
}

/**
 * Returns the time, on the server's clock, since which messages may be missing after a connection was lost. What the
 * node had sent at `provenAt` has arrived, but messages of other nodes may not have reached the node by then.
 */
export function missingSince(provenAt: number): number {
	return provenAt - IN_TRANSIT_MS;
}
