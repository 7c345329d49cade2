import { type Condition, type ConditionKey, NO_TOLERANCE, type Surroundings } from './condition.ts';
import { HEARTBEAT_MS } from './deployment.ts';
import type { Outage } from './outage.ts';

const MINUTE_MS = 60_000;
/** How long a node hangs before a fault. */
const HANGS_BEFORE_MS = 300;
/** How long it hangs in all: long enough to consider its connections dead, and shorter than most faults. */
const HANGS_MS = 1_500;
/** When clocks are set after a fault has begun, in milliseconds: before most are over. */
const SET_AFTER_MS = 500;

/** Both nodes are further from Redis than most; one only in one direction. */
const LINKS = {
	a: { toServer: 400, toClient: 0 },
	b: { toServer: 250, toClient: 250 },
	c: { toServer: 0, toClient: 400 },
};
const SLOWEST_ROUND_TRIP_MS = 500;
/** From a to b. */
const BETWEEN_NODES_MS = 650;
/** To connect again, find out the server's role, subscribe and receive the answer, once more where that failed. */
const ROUND_TRIPS_TO_RECOVER = 8;

/** Ahead of the counting process, in milliseconds. Redis is ahead of all. */
const APART = { a: 3 * MINUTE_MS, b: -2 * MINUTE_MS, c: MINUTE_MS };
const REDIS_AHEAD_MS = 7 * MINUTE_MS;
/**
 * A gap also allows for the delay of the beats by which clocks were compared: for the first ones, that is 10 s. So it
 * can end as much later.
 */
const SPREAD = { behindMs: 2 * MINUTE_MS, aheadMs: 3 * MINUTE_MS + HEARTBEAT_MS / 2 + 10_000 };
/** A node does not know when another one's clock was set: a gap may be wider by the difference of any two times. */
const SPREAD_OF_SET = { behindMs: 5 * MINUTE_MS, aheadMs: 5 * MINUTE_MS + HEARTBEAT_MS / 2 };

/** Beats of a node that hangs are as late: what they prove is as old. */
const HANGING = { ...NO_TOLERANCE, delayMs: HANGS_MS, gapBeforeMs: HANGS_MS, gapsPerTopic: 1, mayLoseNothing: true };

/** A fault combined with each of these is a row of the table. */
export const CONDITIONS: Readonly<Record<ConditionKey, Condition>> = {
	frozen: {
		name: 'a node frozen',
		around: (nodes, inject) =>
			whileHanging(inject, async () => {
				const { process } = nodes.node('b');
				process.freeze();
				await Bun.sleep(HANGS_MS);
				process.thaw();
			}),
		tolerance: { ...HANGING, interrupted: ['b'] },
	},
	stalled: {
		name: 'an event loop stalled',
		around: (nodes, inject) => whileHanging(inject, () => nodes.node('a').ask({ do: 'stall', forMs: HANGS_MS })),
		tolerance: { ...HANGING, interrupted: ['a'] },
	},
	delayed: {
		name: 'links delayed',
		links: LINKS,
		tolerance: {
			...NO_TOLERANCE,
			delayMs: 2 * SLOWEST_ROUND_TRIP_MS,
			// A gap begins with the last heartbeat that came back. The next one waits until it is answered, so every other
			// one is left out. And clocks seem to differ by as much as the fastest message between the nodes took.
			gapBeforeMs: SLOWEST_ROUND_TRIP_MS + HEARTBEAT_MS + BETWEEN_NODES_MS,
			recoveryMs: ROUND_TRIPS_TO_RECOVER * SLOWEST_ROUND_TRIP_MS,
			gapsPerTopic: 1,
		},
	},
	clocksApart: {
		name: 'clocks 5 min apart',
		clocks: { nodes: APART, redis: REDIS_AHEAD_MS },
		tolerance: { ...NO_TOLERANCE, clocks: SPREAD },
	},
	clocksSet: {
		name: 'clocks set by up to 3 min',
		clocks: { nodes: { a: 0, b: 0, c: 0 }, redis: REDIS_AHEAD_MS },
		async around(nodes, inject) {
			const set = Bun.sleep(SET_AFTER_MS).then(() => setClocks(nodes));
			const [outage] = await Promise.all([inject(), set]);
			return outage;
		},
		tolerance: { ...NO_TOLERANCE, clocks: SPREAD_OF_SET },
	},
};

/** Causes a fault while a node hangs, from shortly before on. */
async function whileHanging(inject: () => Promise<Outage>, hang: () => Promise<void>): Promise<Outage> {
	const hungFrom = Date.now();
	const hung = hang().then(() => Date.now());
	await Bun.sleep(HANGS_BEFORE_MS);
	const [{ from, back }, hungUntil] = await Promise.all([inject(), hung]);
	return { from: Math.min(from, hungFrom), back: Math.max(back, hungUntil) };
}

function setClocks(nodes: Surroundings): void {
	for (const [node, offsetMs] of Object.entries(APART)) nodes.clock(node)?.set(offsetMs);
}
