import type { Arrivals, ClockSpread, Gap, Outcome, Receiver, Run } from './run.ts';

/** When the fault of each run begins. */
export const FROM = 10_000;
/** When the fault of each run ends. */
export const BACK = 11_000;

/** The differences from a run without a fault. */
export interface Deviation {
	/** The numbers of a's messages in the order in which b's client received them; default: all ten. */
	readonly remote?: readonly number[];
	/** The numbers in the order in which a's own client received them; default: all ten. */
	readonly local?: readonly number[];
	/** How long each message took to reach a's own client, in milliseconds; default 1. */
	readonly localLatency?: number;
	/** How long each message took to reach b's client, in milliseconds; default 1. */
	readonly remoteLatency?: number;
	/** Outcomes by number; default: accepted. */
	readonly outcomes?: Readonly<Record<number, Outcome>>;
	readonly gaps?: readonly Partial<Gap>[];
	readonly impact?: Run['impact'];
	/** When b's client was subscribed; default: before the first message. */
	readonly since?: number;
	/** Until when b's client had to receive messages; default: the end. */
	readonly until?: number;
	/** How far a's clock is ahead, in milliseconds. */
	readonly ahead?: number;
	/** The tolerance for the clocks of all nodes. */
	readonly clocks?: ClockSpread;
	readonly channel?: string;
	/** Other messages that b's client received: numbers by channel. */
	readonly extra?: Readonly<Record<string, readonly number[]>>;
}

/**
 * Returns the record of a run in which node a publishes ten messages, 0 to 9, one every 200 ms from 9,500 on. The fault
 * can affect numbers 3 to 7. A client on a and one on b must receive the messages.
 */
export function runWith(deviation: Deviation = {}): Run {
	const {
		channel = 'room',
		outcomes = {},
		gaps = [],
		localLatency = 1,
		remoteLatency = 1,
		since = 0,
		until,
		ahead = 0,
		clocks = { behindMs: 0, aheadMs: 0 },
		extra = {},
	} = deviation;
	const sentAt = Array.from({ length: 10 }, (_, number) => 9_500 + 200 * number);
	const publishedAt = sentAt.map((at) => at + ahead);
	const all = sentAt.map((_, number) => number);
	const arrivalsOf = (numbers: readonly number[], latency: number): Arrivals => ({
		numbers,
		at: numbers.map((number) => (sentAt[number] ?? 0) + latency),
	});
	const client = (
		node: string,
		span: Pick<Receiver, 'since' | 'until'>,
		arrivals: Record<string, Arrivals>,
	): Receiver => ({
		name: `${node}1`,
		node,
		channels: new Set([channel]),
		...span,
		streams: new Map([['a', new Map(Object.entries(arrivals))]]),
	});
	const more = Object.entries(extra).map(([name, numbers]) => [name, arrivalsOf(numbers, 1)] as const);
	return {
		publishers: [
			{
				node: 'a',
				channels: new Map([
					[channel, { publishedAt, sentAt, outcome: all.map((number) => outcomes[number] ?? 'accepted') }],
				]),
			},
		],
		receivers: [
			client('a', { since: 0 }, { [channel]: arrivalsOf(deviation.local ?? all, localLatency) }),
			client(
				'b',
				{ since, until },
				{
					[channel]: arrivalsOf(deviation.remote ?? all, remoteLatency),
					...Object.fromEntries(more),
				},
			),
		],
		gaps: gaps.map((gap) => ({
			node: 'b',
			topic: 'room',
			since: FROM,
			until: BACK,
			reason: 'test',
			reportedAt: BACK + 1,
			...gap,
		})),
		from: FROM,
		back: BACK,
		impact: deviation.impact ?? (() => 'possible'),
		slackBefore: 750,
		slackAfter: 500,
		clocks,
	};
}

/** Returns all ten numbers except these. */
export function allBut(...missing: readonly number[]): number[] {
	return Array.from({ length: 10 }, (_, number) => number).filter((number) => !missing.includes(number));
}
