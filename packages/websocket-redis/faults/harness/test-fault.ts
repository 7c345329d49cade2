import { expect, it } from 'vitest';
import { rowOf } from '../report/row.ts';
import type { Backend } from './backend.ts';
import type { Fault } from './fault.ts';
import { runFault } from './run-fault.ts';

/** One test: every promise holds under this fault. Its row of the table goes with the test, to the reporter. */
export function testFault<B extends Backend>(fault: Fault<B>): void {
	it(fault.name, async ({ task }) => {
		const { verdict, broken } = await runFault(fault);
		task.meta.faultRow = rowOf(fault.name, verdict, broken.length === 0);
		expect(broken).toEqual([]);
	});
}
