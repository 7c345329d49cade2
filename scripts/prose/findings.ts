import { lineAt } from '../lib/line-at.ts';
import { proseOf } from './extract.ts';
import phrases from './phrases.json' with { type: 'json' };

export interface Finding {
	line: number;
	message: string;
}

const MAX_COLUMNS = 120;
const TAB_COLUMNS = 3;

const HINTS = new Map(phrases.flatMap(({ phrases: list, hint }) => list.map((phrase) => [phrase, hint] as const)));

// A phrase can be split over two lines of a paragraph.
const ANY_PHRASE = new RegExp(
	`(?<![\\w-])(?:${[...HINTS.keys()].map((phrase) => phrase.replaceAll(' ', '(?:[ \\t]+|[ \\t]*\\n[ \\t]*)')).join('|')})(?![\\w-])`,
	'gi',
);

/** Returns the rejected phrases and the comment lines that are too long, in line order. */
export function findings(path: string, content: string): Finding[] {
	const lines = content.split('\n');
	const found: Finding[] = [];
	const tooLong = new Set<number>();
	for (const prose of proseOf(path, content)) {
		for (const match of prose.text.matchAll(ANY_PHRASE)) {
			const phrase = match[0].replaceAll(/\s+/g, ' ').toLowerCase();
			const line = prose.line + lineAt(prose.text, match.index) - 1;
			found.push({ line, message: `"${phrase}": ${HINTS.get(phrase)}` });
		}
		if (prose.kind !== 'comment') continue;
		const last = prose.line + prose.text.split('\n').length - 1;
		for (let line = prose.line; line <= last; line += 1) {
			if (columns(lines[line - 1] ?? '') > MAX_COLUMNS) tooLong.add(line);
		}
	}
	for (const line of tooLong) {
		found.push({ line, message: `${columns(lines[line - 1] ?? '')} columns: comments must fit into ${MAX_COLUMNS}` });
	}
	return found.toSorted((a, b) => a.line - b.line);
}

/** Returns the width of a line, not counting addresses, which can't be split. */
function columns(line: string): number {
	return line.replaceAll(/https?:\/\/\S+/g, '').replaceAll('\t', ' '.repeat(TAB_COLUMNS)).length;
}
