import { it } from 'vitest';
import { rowOf } from '../report/row.ts';
import type { Backend } from './backend.ts';
import type { Condition, ConditionKey } from './condition.ts';
import { CONDITIONS } from './conditions.ts';
import type { Fault } from './fault.ts';
import { rowName } from './row-name.ts';
import { runFault } from './run-fault.ts';
import { selectConditions } from './select-conditions.ts';

/**
 * Tests that every guarantee holds under a fault, as it is and in conditions that make it harder. Passes a row
 * of the table for each to the reporter, as metadata.
 */
export function testFault<B extends Backend>(fault: Fault<B>): void {
	testRow(fault, undefined);
	for (const key of selectConditions(fault)) testRow(withFalseAlarms(fault, key), CONDITIONS[key]);
}

/** Returns the fault, with false alarms allowed if the condition causes them. */
function withFalseAlarms<B extends Backend>(fault: Fault<B>, key: ConditionKey): Fault<B> {
	if (fault.falseAlarms?.[key] === undefined) return fault;
	return {
		...fault,
		impact(...args) {
			const impact = fault.impact(...args);
			return impact === 'interrupted' ? impact : 'possible';
		},
	};
}

function testRow<B extends Backend>(fault: Fault<B>, condition: Condition | undefined): void {
	const name = rowName(fault.name, condition);
	it(name, async ({ task }) => {
		const { counts, beats, broken } = await runFault(fault, condition);
		task.meta.faultRow = rowOf(beats === 'collected' ? `${name} (beats collected)` : name, counts, broken.length === 0);
		// Not an assertion, whose message would be shortened.
		if (broken.length > 0) throw new Error(broken.join('\n'));
	});
}
