/** Prints the totals of the last test run over all workspaces; exits 1 unless tests ran and all of them passed. */
import { join } from 'node:path';
import { workspaces } from './lib/workspaces.ts';

interface Results {
	success: boolean;
	numPassedTests: number;
	numFailedTests: number;
}

/** What runs tests, and where its results are. */
const RUNS = { test: 'results.json', 'test:faults': 'faults.json' };

let passed = 0;
let failed = 0;

for (const workspace of await workspaces()) {
	for (const [script, file] of Object.entries(RUNS)) {
		if (workspace.manifest.scripts?.[script] === undefined) continue;
		const results = await read(join(workspace.dir, '.vitest', file));
		passed += results?.numPassedTests ?? 0;
		// A run that broke before or outside its tests has no failed test to show, but is a failure all the same.
		failed += results?.success === true ? 0 : Math.max(1, results?.numFailedTests ?? 0);
	}
}

console.log(`${passed} passed, ${failed} failed`);
process.exit(passed > 0 && failed === 0 ? 0 : 1);

async function read(path: string): Promise<Results | undefined> {
	try {
		return await Bun.file(path).json();
	} catch {
		return undefined;
	}
}
