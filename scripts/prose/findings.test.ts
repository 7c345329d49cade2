import { describe, expect, it } from 'vitest';
import { findings } from './findings.ts';

const phrases = (path: string, content: string): string[] => {
	return findings(path, content).map(({ line, message }) => `${line} ${message.split(':')[0]}`);
};

describe('phrases', () => {
	it.each([
		['a line comment', '\n// nobody asks', ['2 "nobody"']],
		['a block comment', '/**\n * Sent\n * by whoever asks.\n */', ['3 "whoever"']],
		['a string', "it('starts anew', () => {});", ['1 "anew"']],
		['a template with an expression', '`${a}, ${{ b: `{${c}}` }.b}: so many`;', ['1 "so many"']],
		['a phrase broken over two lines', '// keeps so\n\t// many of them', ['1 "so many"']],
		['a comment after a regular expression', 'const quote = /[/"`]/; // by now', ['1 "by now"']],
		['a comment after a division', 'const a = (b + c) / 2; // by now / later', ['1 "by now"']],
	])('are found in %s', (_, source, expected) => {
		expect(phrases('a.ts', source)).toEqual(expected);
	});

	it.each([
		['identifiers', 'const nobody = whoever.anew();'],
		['strings of one word', "const user = 'nobody';"],
		['code in backticks', '// `nobody` is an account of the system'],
		['addresses', '// https://example.org/nobody/anew is their page'],
		['regular expressions', 'const words = /so many|by now/;'],
		['parts of words', '// a planed surface, anewly'],
	])('are not looked for in %s', (_, source) => {
		expect(phrases('a.ts', source)).toEqual([]);
	});

	it('are found in Markdown, and in the comments and strings of its TypeScript', () => {
		const markdown = 'Made\nby whoever asks, `anew`.\n\n```ts\n// so many\nconst nobody = 1;\n```\n\nby now\n';
		expect(phrases('a.md', markdown)).toEqual(['2 "whoever"', '5 "so many"', '9 "by now"']);
	});

	it('are found in comments of YAML and shell scripts', () => {
		expect(phrases('.ci/run', 'echo nobody # whoever\n# anew')).toEqual(['1 "whoever"', '2 "anew"']);
	});

	it('come with what to write instead', () => {
		expect(findings('a.ts', '// by now')).toEqual([{ line: 1, message: '"by now": "now" or "already"' }]);
	});
});

describe('the width of comments', () => {
	const words = (columns: number): string => 'word '.repeat(columns).slice(0, columns - 1) + '.';

	it('is at most 120 columns, of which a tab takes 3', () => {
		expect(findings('a.ts', `\t// ${words(114)}`)).toEqual([]);
		expect(findings('a.ts', `\n\t// ${words(115)}`)).toEqual([
			{ line: 2, message: '121 columns: comments must fit into 120' },
		]);
	});

	it('counts the code before a comment', () => {
		expect(findings('a.ts', `const a = 1; // ${words(105)}`)).toHaveLength(1);
	});

	it('does not count addresses', () => {
		expect(findings('a.ts', `// See https://example.org/${'a'.repeat(120)}`)).toEqual([]);
	});

	it('is free in strings and in Markdown', () => {
		expect(findings('a.ts', `call('${words(130)}');`)).toEqual([]);
		expect(findings('a.md', words(130))).toEqual([]);
	});
});
