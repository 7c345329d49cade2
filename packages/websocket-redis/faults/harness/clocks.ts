import { type FakeClock, fakeClock } from '@orijs/testkit';
import type { Condition } from './condition.ts';

/** The clocks of a run's processes, if a condition sets them. By node. */
export type Clocks = ReadonlyMap<string, FakeClock>;

/** Not the name of a node. */
export const REDIS = '(Redis)';

export function clocksOf(condition: Condition | undefined): Clocks {
	if (condition?.clocks === undefined) return new Map();
	const { nodes, redis } = condition.clocks;
	const clocks = Object.entries(nodes).map(([name, offsetMs]) => [name, fakeClock(offsetMs)] as const);
	// Redis's is not set while it runs. It looks at its clock several times per command, which must not slow it.
	return new Map([...clocks, [REDIS, fakeClock(redis, { cached: true })]]);
}
