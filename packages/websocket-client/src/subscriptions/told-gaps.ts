import type { AnsweredAt, GapNotice } from '@orijs/websocket/protocol';
import type { ServerTime } from '../connection/server-time.ts';
import { gapBetween } from './gap-span.ts';

interface Told {
	readonly gap: GapNotice;
	/** By how much the gap was widened for the clocks of other servers. */
	readonly behindMs: number;
	readonly aheadMs: number;
	readonly at: number;
}

/**
 * Remembers the gaps between connections that were told lately. A server that has just started may not know yet how far
 * the clocks of other servers are off. Once it does, the gaps are told again, wider.
 */
export class ToldGaps {
	#told: Told[] = [];

	/** Returns a gap to tell; see {@link gapBetween}. */
	between(topic: string, last: ServerTime, now: AnsweredAt): GapNotice {
		const gap = gapBetween(topic, last, now);
		const behindMs = Math.max(last.behindMs ?? 0, now.behindMs ?? 0);
		const aheadMs = Math.max(last.aheadMs ?? 0, now.aheadMs ?? 0);
		this.#told.push({ gap, behindMs, aheadMs, at: performance.now() });
		return gap;
	}

	/** Returns the gaps to tell again, when the server has answered a ping. */
	learned({ behindMs = 0, aheadMs = 0 }: AnsweredAt): GapNotice[] {
		/** How long a server may take to learn of the other clocks, in milliseconds, pings included. */
		const LEARNED_WITHIN_MS = 60_000;
		/** Smaller changes are inaccuracies, in milliseconds. */
		const SMALLEST_MS = 1_000;
		const again: GapNotice[] = [];
		this.#told = this.#told.flatMap((told) => {
			if (performance.now() - told.at > LEARNED_WITHIN_MS) return [];
			const earlierMs = Math.max(0, behindMs - told.behindMs);
			const laterMs = Math.max(0, aheadMs - told.aheadMs);
			if (earlierMs + laterMs < SMALLEST_MS) return told;
			const { topic, since, until } = told.gap;
			const gap = { topic, since: Math.max(0, since - earlierMs), until: until + laterMs };
			again.push(gap);
			return { ...told, gap, behindMs: told.behindMs + earlierMs, aheadMs: told.aheadMs + laterMs };
		});
		return again;
	}
}
