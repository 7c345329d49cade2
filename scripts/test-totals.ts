/**
 * Prints the tests that failed or needed a second try in the last run, each with its errors, followed by the totals of
 * all workspaces. Exits with 1 unless at least one test ran and all tests passed.
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
		/** The error that occurred outside the file's tests; empty if there was no such error. */
		message: string;
		assertionResults: { fullName: string; status: string; failureMessages: string[] }[];
	}[];
}

/** The scripts that run tests, and the results file that each of them writes. */
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
	if (results === undefined) console.log(`no results from ${script} in ${relative('.', dir)}`);
	else printFailures(results);
	passed += results?.numPassedTests ?? 0;
	// A run that broke outside its tests has no failed test, but counts as failed nevertheless.
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

/** Removes the stack frames inside the test runner. */
function ownLines(messages: string[]): string {
	const lines = messages.join('\n').split('\n');
	return lines.filter((line) => !/^\s+at (native|.*\(native\)|.*node_modules)/.test(line)).join('\n');
}

function indented(text: string): string {
	return text.replaceAll(/^/gm, '    ');
}
