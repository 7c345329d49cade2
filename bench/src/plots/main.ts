/**
 * Draws each `{name}.json` in a directory of results (default: `bench/results`) as `{name}.svg` in the same directory.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchmarkResult } from '../report/results.ts';
import { drawBenchmark } from './picture.ts';

const directory = process.argv[2] ?? fileURLToPath(new URL('../../results', import.meta.url));
const files = readdirSync(directory).filter((file) => file.endsWith('.json'));
if (files.length === 0) throw new Error(`No results in ${directory}`);

for (const file of files.toSorted()) {
	const result = JSON.parse(readFileSync(join(directory, file), 'utf8')) as BenchmarkResult;
	const picture = join(directory, file.replace(/\.json$/, '.svg'));
	writeFileSync(picture, await drawBenchmark(result));
	console.log(picture);
}
