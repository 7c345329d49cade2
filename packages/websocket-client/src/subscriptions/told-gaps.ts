import type { AnsweredAt, GapNotice } from '@orijs/websocket/protocol';
import type { ServerTime } from '../connection/server-time.ts';
import { gapBetween } from './gap-span.ts';

/**
 * Remembers the gaps between connections until the next ping is answered. A server that has just started may not know
 * yet how far the clocks of other servers are off. Once it does, the gaps are told again, wider.
 */
export class ToldGaps {
	#told: (readonly [gap: GapNotice, last: ServerTime, now: AnsweredAt])[] = [];

	/** Returns a gap to tell; see {@link gapBetween}. */
	between(topic: string, last: ServerTime, now: AnsweredAt): GapNotice {
		const gap = gapBetween(topic, last, now);
		this.#told.push([gap, last, now]);
		return gap;
	}

	/** Returns the gaps to tell again, when the server has answered a ping. */
	learned({ behindMs = 0, aheadMs = 0 }: AnsweredAt): GapNotice[] {
		const told = this.#told;
		this.#told = [];
		return told.flatMap(([{ topic, since, until }, last, now]) => {
			const earlierMs = Math.max(0, behindMs - Math.max(last.behindMs ?? 0, now.behindMs ?? 0));
			const laterMs = Math.max(0, aheadMs - Math.max(last.aheadMs ?? 0, now.aheadMs ?? 0));
			// Less than a second is an inaccuracy.
			if (earlierMs + laterMs < 1_000) return [];
			return { topic, since: Math.max(0, since - earlierMs), until: until + laterMs };
		});
	}
}
