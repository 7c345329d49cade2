import { existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { Entry } from './protocol.ts';

/** Writes an entry at once: what follows from it, such as an answer to another node, is sent later. */
export function openJournal(path: string): (entry: Entry) => void {
	const file = openSync(path, 'a');
	return (entry) => void writeSync(file, `${JSON.stringify(entry)}\n`);
}

/** Reads what a process has written, except a last entry that it had not finished when it was killed. */
export function readJournal(path: string): Entry[] {
	if (!existsSync(path)) return [];
	const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
	return lines.map((line) => JSON.parse(line) as Entry);
}
