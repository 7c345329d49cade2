import { dirname, join } from 'node:path';
import { lineAt } from '../lib/line-at.ts';
import type { StaleName } from './stale-names.ts';

const FENCE = /^[ \t]*```[^\n]*\n[\s\S]*?^[ \t]*```[ \t]*$/gm;
const HEADING = /^#{1,6} +(.+)$/gm;
const LINK = /\]\(([^)\s#]*)#([^)\s]+)\)/g;

/** Returns the anchors of the headings of a Markdown document, as GitHub names them. */
export function anchorsOf(markdown: string): ReadonlySet<string> {
	const anchors = new Set<string>();
	for (const [, heading = ''] of withoutCode(markdown).matchAll(HEADING)) {
		const words = heading
			.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
			.trim()
			.toLowerCase();
		const name = words.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(/\s/g, '-');
		let anchor = name;
		for (let number = 1; anchors.has(anchor); number++) anchor = `${name}-${number}`;
		anchors.add(anchor);
	}
	return anchors;
}

/**
 * Returns the links of a Markdown document to headings that are not there.
 *
 * @param document the document's path from the root of the repository
 * @param anchors the anchors of each document, by its path from the root of the repository
 */
export function staleAnchors(
	document: string,
	markdown: string,
	anchors: ReadonlyMap<string, ReadonlySet<string>>,
): StaleName[] {
	const found: StaleName[] = [];
	for (const { 1: target = '', 2: anchor = '', index } of withoutCode(markdown).matchAll(LINK)) {
		if (/^[a-z]+:/.test(target)) continue;
		const path = target === '' ? document : join(dirname(document), target);
		// A link to a folder shows its README. Links that lead nowhere are found elsewhere.
		const headings = anchors.get(path) ?? anchors.get(join(path, 'README.md'));
		if (headings === undefined || headings.has(anchor)) continue;
		found.push({ line: lineAt(markdown, index), message: `no heading has the anchor: ${target}#${anchor}` });
	}
	return found;
}

/** Replaces code blocks by spaces, so that all positions stay. */
function withoutCode(markdown: string): string {
	return markdown.replaceAll(FENCE, (block) => block.replaceAll(/[^\n]/g, ' '));
}
