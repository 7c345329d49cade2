import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Reporter, TestModule, Vitest } from 'vitest/node';
import { isWholeRun } from '../../../../vitest.reporters.ts';
import type { FaultRow } from './row.ts';
import { table } from './table.ts';

/**
 * Prints a table of the faults at the end of a run. After a run of all faults, also writes it to a file as Markdown.
 */
export class TableReporter implements Reporter {
	readonly #path: string;
	#vitest: Vitest | undefined;

	constructor(path: string) {
		this.#path = path;
	}

	onInit(vitest: Vitest): void {
		this.#vitest = vitest;
	}

	async onTestRunEnd(modules: readonly TestModule[]): Promise<void> {
		const rows = modules.toSorted(byPath).flatMap(rowsOf);
		if (rows.length === 0) return;
		const text = table(rows);
		console.log(`\n${text}\n`);
		if (this.#vitest === undefined || !(await isWholeRun(this.#vitest, modules))) return;
		mkdirSync(dirname(this.#path), { recursive: true });
		writeFileSync(this.#path, `${text}\n`);
	}
}

function rowsOf(module: TestModule): FaultRow[] {
	return [...module.children.allTests()].flatMap((test) => test.meta().faultRow ?? []);
}

/** Vitest runs slow files first; the table has a fixed order. */
function byPath(one: TestModule, other: TestModule): number {
	return one.moduleId < other.moduleId ? -1 : 1;
}
