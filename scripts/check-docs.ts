/**
 * Rejects names in Markdown documents that match no file or folder: targets of relative links, and names in backticks
 * and code blocks. A name can be a path from the document's folder or from the root, or the end of exactly one file's
 * path, such as `nodes/remote-nodes.ts`. Also rejects links to headings that are not there. Checks the files and
 * folders named as arguments, or the whole repository.
 */
import { anchorsOf, staleAnchors } from './docs/stale-anchors.ts';
import { staleNames } from './docs/stale-names.ts';
import { repositoryFiles } from './lib/repository-files.ts';

const EXEMPT = /(?:^|\/)CHANGELOG\.md$|^\.changeset\/(?!README)/;

const all = await repositoryFiles();
const paths = all.map(({ path }) => path);
const anchors = new Map<string, ReadonlySet<string>>();
for (const { path, file } of all) if (path.endsWith('.md')) anchors.set(path, anchorsOf(await Bun.file(file).text()));
const documents = (await repositoryFiles(process.argv.slice(2))).filter(({ path }) => path.endsWith('.md'));
let total = 0;

for (const { path, file } of documents) {
	if (EXEMPT.test(path)) continue;
	const markdown = await Bun.file(file).text();
	for (const { line, message } of [...staleNames(path, markdown, paths), ...staleAnchors(path, markdown, anchors)]) {
		console.log(`${path}:${line}: ${message}`);
		total += 1;
	}
}

if (total > 0) {
	console.log(`\n${total} to correct`);
	process.exit(1);
}
