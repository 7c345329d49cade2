/** Returns the number of the line that contains the character at this index, counted from 1. */
export function lineAt(text: string, index: number): number {
	return text.slice(0, index).split('\n').length;
}
