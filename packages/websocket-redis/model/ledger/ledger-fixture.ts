import type { Delivery, Ledger, Outcome, Published, Subscription, ToldGap } from './records.ts';

/** The differences from a run in which all is well. */
export interface Deviation {
	readonly channel?: string;
	/** The numbers in the order in which the client got them; default: all ten. */
	readonly client?: readonly number[];
	/** The same for the socket of node b. */
	readonly node?: readonly number[];
	readonly clientGaps?: readonly Partial<ToldGap>[];
	readonly nodeGaps?: readonly Partial<ToldGap>[];
	/** Of the client. */
	readonly subscription?: Partial<Subscription>;
	readonly outcomes?: Readonly<Record<number, Outcome>>;
	/** How far the publisher's clock is ahead, in milliseconds. */
	readonly clockMs?: number;
	/** Deliveries to the client, after all others. */
	readonly extra?: readonly Partial<Delivery>[];
}

export const ALL = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const;

/**
 * The process a1 publishes ten messages, one a second from 1,000 on. A client and the socket of node b were subscribed
 * before, stay so, and get each 5 ms later.
 */
export function ledgerWith(deviation: Deviation = {}): Ledger {
	const { channel = 'plain:0', outcomes = {}, clockMs = 0 } = deviation;
	const published = ALL.map((n): Published => {
		const at = 1_000 * (n + 1);
		return {
			by: 'a1',
			channel,
			n,
			at,
			stamps: [at + clockMs],
			outcome: outcomes[n] ?? 'accepted',
		};
	});
	const subscription: Subscription = {
		id: 1,
		channel,
		requested: 0,
		from: 10,
		until: Infinity,
		ended: Infinity,
		gone: Infinity,
	};
	const deliveries = (numbers: readonly number[] = ALL): Delivery[] =>
		numbers.map((n, i) => ({
			at: 1_005 + 1_000 * i,
			channel,
			by: 'a1',
			n,
			subscription: 1,
			position: channel.startsWith('kept:') ? { epoch: 'one', offset: 10 * (n + 1) } : undefined,
		}));
	const gaps = (given: readonly Partial<ToldGap>[] = []): ToldGap[] =>
		given.map((gap) => ({ at: 12_000, topic: channel, since: 0, until: 20_000, ...gap }));
	const last: Delivery = { at: 11_000, channel, by: 'a1', n: 9 };
	return {
		published,
		receivers: [
			{
				kind: 'client',
				name: 'client',
				subscriptions: [{ ...subscription, ...deviation.subscription }],
				deliveries: [...deliveries(deviation.client), ...(deviation.extra ?? []).map((each) => ({ ...last, ...each }))],
				gaps: gaps(deviation.clientGaps),
			},
			{
				kind: 'node',
				name: 'b1',
				subscriptions: [subscription],
				deliveries: deliveries(deviation.node),
				gaps: gaps(deviation.nodeGaps),
			},
		],
	};
}

/** All ten numbers but these. */
export function allBut(...missing: readonly number[]): number[] {
	return ALL.filter((n) => !missing.includes(n));
}
