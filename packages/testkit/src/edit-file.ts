import { closeSync, constants, openSync, writeSync } from 'node:fs';

/** The size of the files that `editFile` writes, in characters. */
const PADDED = 16_384;

/**
 * Replaces the text of a file, or creates the file. It makes a single write, padded with spaces to a fixed size, so
 * that a process that watches the file never sees it empty or half written.
 */
export function editFile(path: string, text: string): void {
	if (text.length > PADDED) throw new RangeError(`editFile() takes up to ${PADDED} characters, not ${text.length}`);
	const file = openSync(path, constants.O_RDWR | constants.O_CREAT);
	writeSync(file, text.padEnd(PADDED), 0);
	closeSync(file);
}
