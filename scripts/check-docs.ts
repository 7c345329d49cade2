/**
 * Rejects paths in Markdown that do not exist: targets of relative links, and names of files and folders in backticks and
 * code blocks. A name that is not a path from the document's folder or the root has to be the end of the path of exactly
 * one file in the document's package, or in the repository: `nodes/remote-nodes.ts`.
 */
import { staleNames } from './docs/stale-names.ts';
import { repositoryFiles } from './lib/repository-files.ts';

const EXEMPT = /(?:^|\/)CHANGELOG\.md$|^\.changeset\/(?!README)/;

const paths = (await repositoryFiles()).map(({ path }) => path);
const documents = (await repositoryFiles(process.argv.slice(2))).filter(({ path }) => path.endsWith('.md'));
let total = 0;

for (const { path, file } of documents) {
	if (EXEMPT.test(path)) continue;
	for (const { line, message } of staleNames(path, await Bun.file(file).text(), paths)) {
		console.log(`${path}:${line}: ${message}`);
		total += 1;
	}
}

if (total > 0) {
	console.log(`\n${total} to correct`);
	process.exit(1);
}
