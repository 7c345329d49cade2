import { lineAt } from '../lib/line-at.ts';
import { type Token, tokens } from './tokens.ts';

/** A stretch of text that people read, with code and addresses in it blanked out. */
export interface Prose {
	kind: 'comment' | 'text';
	text: string;
	/** The line of the file on which it starts, from 1. Its line breaks are the file's. */
	line: number;
}

/** Returns what people read in a file, by the kind of file that its name says. */
export function proseOf(path: string, content: string): Prose[] {
	if (/\.(?:ts|mjs|json|css)$/.test(path)) return proseOfSource(content);
	if (/\.(?:md|html)$/.test(path)) return proseOfMarkdown(content);
	return proseOfShell(content);
}

/** Comments, and strings of more than one word. A run of `//` lines is one comment. */
function proseOfSource(source: string): Prose[] {
	const found: Prose[] = [];
	let run: { prose: Prose; space: string } | undefined;
	for (const token of tokens(source)) {
		if (token.kind === 'code' && token.text.trim() === '' && run) {
			run.space += token.text;
		} else if (token.kind === 'comment' && token.text.startsWith('//') && run) {
			run.prose.text += run.space + textOf(token);
			run.space = '';
		} else {
			run = undefined;
			const text = token.kind === 'code' ? '' : textOf(token);
			if (!/\S\s+\S/.test(text)) continue;
			const prose: Prose = { kind: token.kind === 'comment' ? 'comment' : 'text', text, line: token.line };
			found.push(prose);
			if (token.text.startsWith('//')) run = { prose, space: '' };
		}
	}
	return found;
}

function textOf({ kind, text }: Token): string {
	if (kind === 'string') return blank(text.replace(/^.|(?:`|'|"|\$\{)$/g, ' '));
	return blank(text.replace(/\*\/$/, '').replaceAll(/^[ \t]*(?:\/\/|\/?\*+)/gm, ''));
}

/** All text, and of code blocks in TypeScript what {@link proseOfSource} finds in them. */
function proseOfMarkdown(markdown: string): Prose[] {
	const blocks: Prose[] = [];
	const fence = /^[ \t]*```(\w*)[^\n]*\n([\s\S]*?)^[ \t]*```[ \t]*$/gm;
	const text = markdown.replaceAll(fence, (block: string, language: string, code: string, at: number) => {
		const line = lineAt(markdown, at) + 1;
		if (/^(?:ts|js)$/.test(language)) {
			for (const prose of proseOfSource(code)) blocks.push({ ...prose, kind: 'text', line: prose.line + line - 1 });
		}
		return block.replaceAll(/[^\n]/g, '`');
	});
	return [{ kind: 'text', text: blank(text), line: 1 }, ...blocks];
}

/** Comments of shell scripts and YAML, each line by itself. */
function proseOfShell(script: string): Prose[] {
	return script.split('\n').flatMap((text, index): Prose[] => {
		const comment = /(?:^|\s)#(?!!)(.*)$/.exec(text)?.[1];
		return comment === undefined ? [] : [{ kind: 'comment', text: blank(comment), line: index + 1 }];
	});
}

/** Blanks out code in backticks, targets of links, and addresses, so that nothing in them is taken for prose. */
function blank(text: string): string {
	return text.replaceAll(/`[^`\n]*`|\]\([^)\n]*\)|https?:\/\/[^\s)>]+/g, (code) => '`'.repeat(code.length));
}
