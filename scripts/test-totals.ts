/**
 * Prints the tests that failed or needed a second try in the last run, each with its errors, and then the totals over
 * all workspaces. Exits 1 unless tests ran and all of them passed.
 */
import { join, relative } from 'node:path';
import { root, workspaces } from './lib/workspaces.ts';

interface Results {
	success: boolean;
	numPassedTests: number;
	numFailedTests: number;
	testResults: {
		/** The absolute path of the test file. */
		name: string;
		/** The error outside the file's tests, or empty. */
		message: string;
		assertionResults: { fullName: string; status: string; failureMessages: string[] }[];
	}[];
}

/** The scripts that run tests, with the file that each writes. */
const RUNS = { test: 'results.json', 'test:faults': 'faults.json', 'test:browser': 'browser.json' };

let passed = 0;
let failed = 0;

for (const { dir, manifest } of await workspaces()) {
	for (const [script, file] of Object.entries(RUNS)) {
		if (manifest.scripts?.[script] !== undefined) await count(script, dir, file);
	}
}
await count('test:root', join(root, 'scripts'), 'results.json');

console.log(`${passed} passed, ${failed} failed`);
process.exit(passed > 0 && failed === 0 ? 0 : 1);

async function count(script: string, dir: string, file: string): Promise<void> {
	const results = await read(join(dir, '.vitest', file));
	if (results === undefined) console.log(`no results of ${script} in ${relative('.', dir)}`);
	else printFailures(results);
	passed += results?.numPassedTests ?? 0;
	// A run that broke outside its tests has no failed test, but failed all the same.
	failed += results?.success === true ? 0 : Math.max(1, results?.numFailedTests ?? 0);
}

async function read(path: string): Promise<Results | undefined> {
	try {
		return await Bun.file(path).json();
	} catch {
		return undefined;
	}
}

function printFailures(results: Results): void {
	for (const file of results.testResults) {
		const path = relative('.', file.name);
		if (file.message !== '') console.log(`broken: ${path}\n${indented(file.message)}\n`);
		for (const test of file.assertionResults) {
			if (test.failureMessages.length === 0) continue;
			const outcome = test.status === 'passed' ? 'passed on the second try' : test.status;
			console.log(`${outcome}: ${path} > ${test.fullName}\n${indented(ownLines(test.failureMessages))}\n`);
		}
	}
}

/** Drops the stack frames inside the test runner. */
function ownLines(messages: string[]): string {
	const lines = messages.join('\n').split('\n');
	return lines.filter((line) => !/^\s+at (native|.*\(native\)|.*node_modules)/.test(line)).join('\n');
}

function indented(text: string): string {
	return text.replaceAll(/^/gm, '    ');
}
