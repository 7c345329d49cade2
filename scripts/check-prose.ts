/**
 * Rejects phrases that are typical of translated English, and comments wider than 120 columns, in all files that git
 * tracks or would track. Checks the files and folders named as arguments, or the whole repository. The phrases, and
 * what to write instead, are in `prose/phrases.json`.
 */
import { relative, resolve } from 'node:path';
import { findings } from './prose/findings.ts';
import { repositoryFiles } from './lib/repository-files.ts';

const CHECKED = /\.(?:ts|mjs|json|css|md|html|yml|sh)$|^\.ci\/run$|^scripts\/hooks\//;

// Files that are generated, or that contain the phrases on purpose.
const EXEMPT = /(?:^|\/)CHANGELOG\.md$|^bench\/results\/|^scripts\/prose\/(?:phrases\.json|findings\.test\.ts)$/;

let total = 0;

for (const { path, file } of await repositoryFiles(process.argv.slice(2))) {
	if (!CHECKED.test(path) || EXEMPT.test(path)) continue;
	for (const { line, message } of findings(path, await Bun.file(file).text())) {
		console.log(`${relative(resolve(), file)}:${line}: ${message}`);
		total += 1;
	}
}

if (total > 0) {
	console.log(`\n${total} to reword`);
	process.exit(1);
}
