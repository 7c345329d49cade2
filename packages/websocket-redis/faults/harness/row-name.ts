import type { Condition } from './condition.ts';

/** The name of a fault in a condition, as it stands in the table. */
export function rowName(fault: string, condition: Condition | undefined): string {
	return condition === undefined ? fault : `${fault} · ${condition.name}`;
}
