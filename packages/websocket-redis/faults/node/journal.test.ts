import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openJournal, reportOf } from './journal.ts';

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'journal-'))));
afterEach(() => rmSync(dir, { recursive: true }));

it('has every message by channel and number, except one that was not written completely', () => {
	const path = join(dir, 'a');
	const journal = openJournal(path);
	journal('room:0', 1_000, 900);
	journal('*', 1_001, 901);
	journal('room:0', 1_002, 902);
	appendFileSync(path, 'room:0 10');

	expect(reportOf(path).sent).toEqual(
		new Map([
			['room:0', { publishedAt: [1_000, 1_002], sentAt: [900, 902], outcome: ['unwatched', 'unwatched'] }],
			['*', { publishedAt: [1_001], sentAt: [901], outcome: ['unwatched'] }],
		]),
	);
});
