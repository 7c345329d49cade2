import { expect, it } from 'vitest';
import { staleNames } from './stale-names.ts';

const PATHS = [
	'README.md',
	'docs/guide.md',
	'docs/images/a.svg',
	'packages/one/README.md',
	'packages/one/src/main.ts',
	'packages/one/src/nodes/remote.ts',
	'packages/two/src/main.ts',
];

function stale(markdown: string, document = 'docs/guide.md'): string[] {
	return staleNames(document, markdown, PATHS).map(({ line, message }) => `${line}: ${message}`);
}

it.each([
	['a link, from the folder of the document', '[readme](../README.md#usage) ![a](images/a.svg)'],
	['a link to another site or within the page', '[a](https://example.org/x.md) [b](#usage)'],
	['a path from the root', '`packages/one/src/main.ts`, `packages/one`'],
	['the end of the path of one file', '`nodes/remote.ts`, `remote.ts`'],
	['a folder', '`nodes/`'],
	['a pattern', '`src/*.ts`'],
	['something else in backticks', '`a/b`, `main`, `publish()`, `@orijs/core`'],
	['a generated file', '`.vitest/results.json`'],
	['a file of a sample', '`page.ts`:\n\n```ts\n// page.ts\nimport "./other.ts";\n```'],
	['a name in a code block', '```text\nnodes/remote.ts   sends\n```'],
])('accepts %s', (_, markdown) => {
	expect(stale(markdown)).toEqual([]);
});

it.each([
	['a link', '\n[a](guide/a.md)', '2: the link leads nowhere: guide/a.md'],
	['an image', '<img alt="a" src="images/b.svg">', '1: the link leads nowhere: images/b.svg'],
	['a file in backticks', 'see `nodes/local.ts`', '1: there is no nodes/local.ts'],
	['a folder in backticks', '`docs/old`', '1: there is no docs/old'],
	['a pattern', '`old/*.ts`', '1: there is no old/*.ts'],
	['a file in a code block', '```text\n\nnodes/local.ts   sends\n```', '3: there is no nodes/local.ts'],
	[
		'a name of several files',
		'`src/main.ts`',
		'1: src/main.ts could be packages/one/src/main.ts or packages/two/src/main.ts',
	],
])('rejects %s without exactly one match', (_, markdown, message) => {
	expect(stale(markdown)).toEqual([message]);
});

it("prefers files of the document's own package", () => {
	expect(stale('`src/main.ts`, `main.ts`', 'packages/one/README.md')).toEqual([]);
});
