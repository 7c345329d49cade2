import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';
import type { FaultRow } from './row.ts';
import { table } from './table.ts';

/** Prints one table of all faults at the end of the run, and writes it to a file as Markdown. */
export class TableReporter implements Reporter {
	readonly #path: string;

	constructor(path: string) {
		this.#path = path;
	}

	onTestRunEnd(modules: readonly TestModule[]): void {
		const rows = modules.toSorted(byPath).flatMap(rowsOf);
		if (rows.length === 0) return;
		const text = table(rows);
		mkdirSync(dirname(this.#path), { recursive: true });
		writeFileSync(this.#path, `${text}\n`);
		console.log(`\n${text}\n`);
	}
}

function rowsOf(module: TestModule): FaultRow[] {
	return [...module.children.allTests()].flatMap((test) => test.meta().faultRow ?? []);
}

/** Vitest runs what was slow the last time first; the table keeps one order. */
function byPath(one: TestModule, other: TestModule): number {
	return one.moduleId < other.moduleId ? -1 : 1;
}
