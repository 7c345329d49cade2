import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { run } from './lib/run.ts';
import { tempDir } from './lib/temp-dir.ts';
import { root } from './lib/workspaces.ts';

const dir = tempDir('whole-run');
const results = join(dir, '.vitest/results.json');

beforeAll(() => {
	writeFileSync(
		join(dir, 'vitest.config.ts'),
		`import { ResultsReporter } from '${root}/vitest.reporters.ts';
		const test = { globals: true, pool: 'threads', reporters: [new ResultsReporter('.vitest/results.json')] };
		export default { test };`,
	);
	for (const name of ['one', 'two']) writeFileSync(join(dir, `${name}.test.ts`), `it('${name}', () => {});`);
});

beforeEach(() => {
	mkdirSync(join(dir, '.vitest'), { recursive: true });
	writeFileSync(results, 'the last whole run');
});

afterAll(() => rmSync(dir, { recursive: true }));

function vitest(...args: readonly string[]): Promise<string> {
	return run([process.execPath, '--bun', 'vitest', 'run', '--root', dir, ...args], root);
}

describe('the results file', () => {
	it('is written after a run of all tests', async () => {
		await vitest();
		expect(JSON.parse(readFileSync(results, 'utf8'))).toMatchObject({ numPassedTests: 2 });
	});

	it.each([
		['a file', ['one.test.ts']],
		['a name', ['--testNamePattern', 'one']],
		['a part of the files', ['--shard', '1/2']],
	])('is left alone after a run of %s', async (_, args) => {
		await vitest(...args);
		expect(readFileSync(results, 'utf8')).toBe('the last whole run');
	});
});
