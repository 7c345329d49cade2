/**
 * Prints the tests that failed or needed another try in the last run, each with its errors, followed by the totals of
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

/** The most lines of one error, and of one that a later try did not have; and the longest line, in characters. */
const LINES_OF_ONE = 25;
const LINES_OF_PASSED = 4;
const LONGEST_LINE = 500;
/** The most lines of all errors: the end of the output, which is all that some services show, has every failure. */
const LINES_OF_ALL = 70;

/** What is printed of a test or a file. */
interface Report {
	readonly head: string;
	/** The lines of the errors. */
	readonly lines: readonly string[];
}

let passed = 0;
let failed = 0;
const laterTries: Report[] = [];
const failures: Report[] = [];

for (const { dir, manifest } of await workspaces()) {
	for (const [script, file] of Object.entries(RUNS)) {
		if (manifest.scripts?.[script] !== undefined) await count(script, dir, file);
	}
}
await count('test:root', join(root, 'scripts'), 'results.json');

for (const { head, lines } of laterTries) console.log([head, ...lines, ''].join('\n'));
let left = LINES_OF_ALL;
for (const { head, lines } of failures) {
	// At least the first line: what was wrong.
	const shown = lines.slice(0, Math.max(1, left));
	left -= shown.length;
	console.log([head, ...shown, ''].join('\n'));
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(passed > 0 && failed === 0 ? 0 : 1);

async function count(script: string, dir: string, file: string): Promise<void> {
	const results = await read(join(dir, '.vitest', file));
	if (results === undefined) failures.push({ head: `no results from ${script} in ${relative('.', dir)}`, lines: [] });
	else collectErrors(results);
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

function collectErrors(results: Results): void {
	for (const file of results.testResults) {
		const path = relative('.', file.name);
		if (file.message !== '') failures.push({ head: `broken: ${path}`, lines: shortened(file.message, LINES_OF_ONE) });
		for (const { fullName, status, failureMessages: errors } of file.assertionResults) {
			if (errors.length === 0) continue;
			const what = `${path} > ${fullName}`;
			if (status === 'passed') laterTries.push(report(`passed on a later try: ${what}`, errors, LINES_OF_PASSED));
			else failures.push(report(`${status}: ${what}`, errors, LINES_OF_ONE));
		}
	}
}

function report(head: string, errors: readonly string[], mostLines: number): Report {
	return { head, lines: errors.flatMap((error) => shortened(error, mostLines)) };
}

/** Returns the lines of an error, indented, without the stack frames inside the test runner. */
function shortened(error: string, mostLines: number): string[] {
	const lines = error.split('\n').filter((line) => !/^\s+at (native|.*\(native\)|.*node_modules)/.test(line));
	const shown = lines.slice(0, mostLines).map((line) => `    ${line.slice(0, LONGEST_LINE)}`);
	return lines.length > mostLines ? [...shown, `    … and ${lines.length - mostLines} more lines`] : shown;
}
