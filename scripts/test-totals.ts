/**
 * Prints the totals of the last test run over all workspaces, after the tests that failed or needed a second try, each with
 * what it said; exits 1 unless tests ran and all of them passed.
 */
import { join, relative } from 'node:path';
import { workspaces } from './lib/workspaces.ts';

interface Results {
	success: boolean;
	numPassedTests: number;
	numFailedTests: number;
	testResults: {
		/** The file's path. */
		name: string;
		/** What broke outside of the file's tests. */
		message: string;
		assertionResults: { fullName: string; status: string; failureMessages: string[] }[];
	}[];
}

/** What runs tests, and where its results are. */
const RUNS = { test: 'results.json', 'test:faults': 'faults.json', 'test:browser': 'browser.json' };

let passed = 0;
let failed = 0;

for (const workspace of await workspaces()) {
	for (const [script, file] of Object.entries(RUNS)) {
		if (workspace.manifest.scripts?.[script] === undefined) continue;
		const results = await read(join(workspace.dir, '.vitest', file));
		if (results === undefined) console.log(`no results of ${script} in ${relative('.', workspace.dir)}`);
		else tell(results);
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

function tell(results: Results): void {
	for (const file of results.testResults) {
		const path = relative('.', file.name);
		if (file.message !== '') console.log(`broken: ${path}\n${indented(file.message)}\n`);
		for (const test of file.assertionResults) {
			if (test.failureMessages.length === 0) continue;
			const verdict = test.status === 'passed' ? 'passed the second time' : test.status;
			console.log(`${verdict}: ${path} > ${test.fullName}\n${indented(ownLines(test.failureMessages))}\n`);
		}
	}
}

/** Without the steps inside the test runner. */
function ownLines(messages: string[]): string {
	const lines = messages.join('\n').split('\n');
	return lines.filter((line) => !/^\s+at (native|.*\(native\)|.*node_modules)/.test(line)).join('\n');
}

function indented(text: string): string {
	return text.replaceAll(/^/gm, '    ');
}
