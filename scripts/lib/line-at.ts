/** Returns the number of the line, from 1, that holds the character at this index. */
export function lineAt(text: string, index: number): number {
	return text.slice(0, index).split('\n').length;
}
