import { expect, it } from 'vitest';
import { rowOf } from '../report/row.ts';
import type { Backend } from './backend.ts';
import type { Fault } from './fault.ts';
import { runFault } from './run-fault.ts';

/** Tests that every guarantee holds under a fault. Passes a row of the table to the reporter, as metadata. */
export function testFault<B extends Backend>(fault: Fault<B>): void {
	it(fault.name, async ({ task }) => {
		const { counts, broken } = await runFault(fault);
		task.meta.faultRow = rowOf(fault.name, counts, broken.length === 0);
		expect(broken).toEqual([]);
	});
}
