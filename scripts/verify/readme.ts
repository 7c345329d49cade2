/** Returns the first fenced TypeScript block after `from` that contains `text`. */
export function codeBlock(readme: string, text: string, from = 0): string {
	for (const [, code = ''] of readme.slice(from).matchAll(/^```(?:ts|typescript)\n([\s\S]*?)^```$/gm)) {
		if (code.includes(text)) return code;
	}
	throw new Error(`The README has no TypeScript block that contains: ${text}`);
}

/** Returns the TypeScript block after the comment `<!-- verify: name -->`. */
export function markedBlock(readme: string, name: string): string {
	const marker = `<!-- verify: ${name} -->`;
	const from = readme.indexOf(marker);
	if (from === -1) throw new Error(`The README has no ${marker}`);
	return codeBlock(readme, '', from);
}
