import type { Random } from '../random.ts';
import { NODES } from '../settings.ts';
import { type Damage, durationOf, type Fault, targetsOf, type Way } from './fault.ts';

/** Nothing breaks before everybody has been subscribed for a while, in milliseconds. */
const FIRST_AT_MS = 2_000;
/** Between the end of one fault and the next of the same sequence, in milliseconds. */
const PAUSES_MS = [
	{ min: 200, max: 5_000 },
	{ min: 1_000, max: 12_000 },
] as const;
/** How often a fault is drawn again if its target is broken already. */
const ATTEMPTS = 20;

/**
 * Draws the faults of a run: two sequences, so that up to two things are broken at a time. All are repaired by its end.
 *
 * @param lengthMs the length of the run in milliseconds
 */
export function drawSchedule(random: Random, lengthMs: number): Fault[] {
	const faults: Fault[] = [];
	for (const pause of PAUSES_MS) {
		const choice = random.fork();
		let at = FIRST_AT_MS + choice.between(0, pause.max - pause.min);
		while (at < lengthMs) {
			const fault = drawFree(choice, faults, at, lengthMs);
			if (fault !== undefined) faults.push(fault);
			at += (fault === undefined ? 0 : durationOf(fault)) + choice.scaled(pause.min, pause.max);
		}
	}
	return faults.toSorted((a, b) => a.at - b.at);
}

/** A fault that ends in time, of a target that is whole meanwhile. */
function drawFree(random: Random, others: readonly Fault[], at: number, lengthMs: number): Fault | undefined {
	for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
		const fault = { ...random.pick(DAMAGES)(random), at };
		if (at + durationOf(fault) > lengthMs) continue;
		if (!others.some((other) => haveTargetInCommon(other, fault) && overlap(other, fault))) return fault;
	}
	return undefined;
}

function haveTargetInCommon(a: Fault, b: Fault): boolean {
	return targetsOf(a).some((target) => targetsOf(b).includes(target));
}

function overlap(a: Fault, b: Fault): boolean {
	return a.at <= b.at + durationOf(b) + REPAIR_MS && b.at <= a.at + durationOf(a) + REPAIR_MS;
}

/** A repair takes a moment: a process starts. */
const REPAIR_MS = 1_500;

/** Each is equally likely, so that those which are named more often happen more often. */
const DAMAGES: readonly ((random: Random) => Damage)[] = [
	nodeKilled,
	nodeKilled,
	(random) => ({ kind: 'node stopped', ...node(random), forMs: random.scaled(200, 5_000), moves: random.chance(0.5) }),
	(random) => ({ kind: 'node frozen', ...node(random), forMs: random.scaled(500, 9_000) }),
	(random) => ({ kind: 'node frozen', ...node(random), forMs: random.scaled(500, 9_000) }),
	(random) => ({ kind: 'node stalled', ...node(random), forMs: random.scaled(300, 3_000) }),
	(random) => ({ kind: 'Redis killed', forMs: random.scaled(100, 6_000) }),
	(random) => ({ kind: 'Redis frozen', forMs: random.scaled(500, 6_000) }),
	() => ({ kind: 'Redis flushed' }),
	(random) => ({ kind: random.chance(0.5) ? 'subscribers killed' : 'connections killed' }),
	(random) => ({ kind: 'link cut', ...node(random), forMs: random.scaled(300, 6_000) }),
	(random) => ({ kind: 'link frozen', ...node(random), forMs: random.scaled(300, 8_000), way: way(random) }),
	(random) => ({ kind: 'link half-open', ...node(random), forMs: random.scaled(1_000, 6_000), way: way(random) }),
	(random) => ({
		kind: 'link delayed',
		...node(random),
		forMs: random.scaled(1_000, 10_000),
		way: way(random),
		ms: random.scaled(100, 1_500),
	}),
	(random) => ({
		kind: 'link led elsewhere',
		...node(random),
		forMs: random.scaled(1_000, 8_000),
		to: random.chance(0.5) ? 'copy' : 'empty',
	}),
	(random) => ({ kind: 'clients kicked', ...node(random), share: random.pick(SHARES) }),
	(random) => ({ kind: 'clients cut', ...node(random), share: random.pick(SHARES) }),
	(random) => ({
		kind: 'clients frozen',
		...node(random),
		share: random.pick(SHARES),
		forMs: random.scaled(500, 8_000),
	}),
	clockSet,
	clockSet,
];

const SHARES = [0.25, 0.5, 1] as const;
/** From a second to three hours, in milliseconds. */
const CLOCK_MS = { min: 1_000, max: 3 * 3_600_000 } as const;

function nodeKilled(random: Random): Damage {
	return {
		kind: 'node killed',
		...node(random),
		forMs: random.scaled(200, 12_000),
		moves: random.chance(0.5),
		heldMs: random.chance(0.5) ? random.scaled(20, 1_000) : 0,
	};
}

function clockSet(random: Random): Damage {
	const of = random.pick([...NODES, 'redis', 'clients'] as const);
	const offsetMs = random.scaled(CLOCK_MS.min, CLOCK_MS.max) * (random.chance(0.5) ? 1 : -1);
	return { kind: 'clock set', of, offsetMs };
}

function node(random: Random): { readonly node: (typeof NODES)[number] } {
	return { node: random.pick(NODES) };
}

function way(random: Random): Way {
	return random.pick(['both', 'toServer', 'toClient']);
}
