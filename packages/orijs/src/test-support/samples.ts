import { readFileSync } from 'node:fs';

/** A README of this repository, whose code blocks can be looked up. */
export class Readme {
	readonly #path: string;
	readonly #text: string;

	/** @param path the path from the root of the repository */
	constructor(path: string) {
		this.#path = path;
		this.#text = readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8');
	}

	/** Returns the first TypeScript block after `heading` that begins with the comment `// {name}`. */
	file(name: string, heading = ''): string {
		return this.#find('typescript', heading, `// ${name}\n`, (code, text) => code.startsWith(text));
	}

	/** Returns the first TypeScript block that contains `text`. */
	block(text: string): string {
		return this.#find('typescript', '', text, (code) => code.includes(text));
	}

	/** Returns `code` with the first diff after `heading` that contains `text` applied to it. */
	patch(code: string, text: string, heading = ''): string {
		return patch(
			code,
			this.#find('diff', heading, text, (diff) => diff.includes(text)),
		);
	}

	#find(language: string, heading: string, text: string, matches: (code: string, text: string) => boolean): string {
		const from = heading === '' ? 0 : this.#text.indexOf(`\n${heading}\n`);
		if (from === -1) throw new Error(`${this.#path} has no heading "${heading}"`);
		for (const [, found, code = ''] of this.#text.slice(from).matchAll(/^```(\w+)\n(.*?)^```$/gms)) {
			if (found === language && matches(code, text)) return code;
		}
		throw new Error(`${this.#path} has no ${language} block with "${text.trim()}" after "${heading}"`);
	}
}

/** Applies a diff that has no line numbers, and whose hunks are separated by lines with an ellipsis. */
function patch(code: string, diff: string): string {
	let patched = code;
	for (const hunk of diff.split('…\n')) {
		const lines = hunk.split('\n').filter((line) => line !== '');
		const without = (sign: string): string =>
			lines
				.filter((line) => !line.startsWith(sign))
				.map((line) => `${line.slice(1)}\n`)
				.join('');
		patched = substitute(patched, without('+'), without('-'));
	}
	return patched;
}

/** Replaces `from`, which must occur exactly once. */
export function substitute(code: string, from: string, to: string): string {
	const [before, after, ...rest] = code.split(from);
	if (before === undefined || after === undefined || rest.length > 0) {
		throw new Error(`the sample must contain this exactly once: ${from}`);
	}
	return `${before}${to}${after}`;
}
