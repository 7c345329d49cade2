import { lineAt } from '../lib/line-at.ts';
import { type Token, tokens } from './tokens.ts';

/** A piece of text that people read, in which code and addresses are blanked out. */
export interface Prose {
	kind: 'comment' | 'text';
	text: string;
	/** The line of the file on which the text starts, counted from 1. The text keeps the file's line breaks. */
	line: number;
}

/** Returns the prose in a file, whose type is determined by its name. */
export function proseOf(path: string, content: string): Prose[] {
	if (/\.(?:ts|mjs|json|css)$/.test(path)) return proseOfSource(content);
	if (/\.(?:md|html)$/.test(path)) return proseOfMarkdown(content);
	return proseOfShell(content);
}

/** Returns comments, and strings of more than one word. Consecutive `//` lines are one comment. */
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

/** Returns all text outside code blocks, and the prose that {@link proseOfSource} finds in TypeScript blocks. */
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

/** Returns the comments of a shell script or a YAML file, each line separately. */
function proseOfShell(script: string): Prose[] {
	return script.split('\n').flatMap((text, index): Prose[] => {
		const comment = /(?:^|\s)#(?!!)(.*)$/.exec(text)?.[1];
		return comment === undefined ? [] : [{ kind: 'comment', text: blank(comment), line: index + 1 }];
	});
}

/** Blanks out code in backticks, link targets and addresses, so that they are not mistaken for prose. */
function blank(text: string): string {
	return text.replaceAll(/`[^`\n]*`|\]\([^)\n]*\)|https?:\/\/[^\s)>]+/g, (code) => '`'.repeat(code.length));
}
