import { expect, it } from 'vitest';
import { anchorsOf, staleAnchors } from './stale-anchors.ts';

const ANCHORS = new Map([
	['README.md', anchorsOf('# All\n\n## Usage')],
	['docs/guide.md', anchorsOf('# Guide\n\n### `secret`, and more')],
	['packages/one/README.md', anchorsOf('## Options\n\n## Options')],
]);

function stale(markdown: string): string[] {
	return staleAnchors('docs/guide.md', markdown, ANCHORS).map(({ line, message }) => `${line}: ${message}`);
}

it('names the anchors of headings as GitHub does', () => {
	const markdown = '# A `b`, c & [d](e.md)\n\n```bash\n# no heading\n```\n\n## Same\n\n### Same\n\n## Über_uns: x-y';
	expect([...anchorsOf(markdown)]).toEqual(['a-b-c--d', 'same', 'same-1', 'über_uns-x-y']);
});

it.each([
	['within the page', '[a](#secret-and-more)'],
	['to another page', '[a](../README.md#usage)'],
	['to the second of two headings', '[a](../packages/one/README.md#options-1)'],
	['to the README of a folder', '[a](../packages/one#options) [b](../packages/one/#options)'],
	['to another site', '[a](https://example.org/x.md#nothing)'],
	['to a file that is no document', '[a](main.ts#L7)'],
	['in a code block', '```md\n[a](#nothing)\n```'],
])('accepts a link %s', (_, markdown) => {
	expect(stale(markdown)).toEqual([]);
});

it.each([
	['within the page', '\n[a](#nothing)', '2: no heading has the anchor: #nothing'],
	['to another page', '[a](../README.md#options)', '1: no heading has the anchor: ../README.md#options'],
	['to a folder', '[a](../packages/one#usage)', '1: no heading has the anchor: ../packages/one#usage'],
])('rejects a link %s to a heading that is not there', (_, markdown, message) => {
	expect(stale(markdown)).toEqual([message]);
});
