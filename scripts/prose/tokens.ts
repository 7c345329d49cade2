export interface Token {
	kind: 'comment' | 'string' | 'code';
	/**
	 * The source text; for a string, including its delimiters. A template with expressions is split into several
	 * strings.
	 */
	text: string;
	/** The line of the source on which the token starts, counted from 1. */
	line: number;
}

const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const QUOTED = /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y;
const TEMPLATE = /[`}](?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{)/y;
const REGEX = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const WORD_OR_SPACE = /[\w$]+|\s+/y;
const KEYWORD_BEFORE_REGEX = /^(?:return|typeof|case|in|of|await|yield|void|else)$/;

/** Splits TypeScript, JavaScript or JSON into comments, strings, and the rest. */
export function* tokens(source: string): Generator<Token> {
	/** For each `${` that is not closed yet, the number of open braces inside it. */
	const templates: number[] = [];
	let line = 1;
	let before = '';
	for (let at = 0; at < source.length;) {
		const [kind, text] = tokenAt(at);
		yield { kind, text, line };
		at += text.length;
		line += text.split('\n').length - 1;
		if (kind === 'string' || (kind === 'code' && text.trim() !== '')) before = text;
	}

	function tokenAt(at: number): [Token['kind'], string] {
		const match = (pattern: RegExp): string | undefined => {
			pattern.lastIndex = at;
			return pattern.exec(source)?.[0];
		};
		const char = source[at] ?? '';
		const comment = match(COMMENT);
		if (comment !== undefined) return ['comment', comment];
		const open = templates.at(-1);
		if (char === '`' || (char === '}' && open === 0)) {
			const part = match(TEMPLATE);
			if (part !== undefined) {
				if (char === '}') templates.pop();
				if (part.endsWith('${')) templates.push(0);
				return ['string', part];
			}
		}
		if (open !== undefined && char === '{') templates.push((templates.pop() ?? 0) + 1);
		if (open !== undefined && char === '}') templates.push((templates.pop() ?? 0) - 1);
		const quoted = match(QUOTED);
		if (quoted !== undefined) return ['string', quoted];
		const regex = char === '/' && !endsOperand(before) ? match(REGEX) : undefined;
		return ['code', regex ?? match(WORD_OR_SPACE) ?? char];
	}
}

/** Whether a slash after this token is a division, rather than the start of a regular expression. */
function endsOperand(token: string): boolean {
	return /[\w$)\]}'"`]$/.test(token) && !KEYWORD_BEFORE_REGEX.test(token);
}
