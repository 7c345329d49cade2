import { basename } from 'node:path';
import { expect } from 'vitest';
import { SEED } from '../history/random.ts';

/** The most findings that a failure lists, and the longest text of one, in characters. */
const MOST = 20;
const LONGEST = 400;

/**
 * Fails the test if there are findings. The failure lists the first 20, and says how to repeat the run.
 *
 * @param kind what the findings are, in the plural
 * @param context what else to tell in a failure, such as what was broken
 */
export function expectNone(kind: string, findings: readonly string[], context = ''): void {
	if (findings.length === 0) return;
	const listed = findings.slice(0, MOST).map((text) => (text.length > LONGEST ? `${text.slice(0, LONGEST)} …` : text));
	if (findings.length > MOST) listed.push(`… and ${findings.length - MOST} more`);
	// Not an assertion, whose message would be shortened.
	throw new Error(
		[`${findings.length} ${kind}; ${howToRepeat()}`, ...(context === '' ? [] : [context]), ...listed].join('\n'),
	);
}

/** How to repeat the run of this test file with the same choices. */
export function howToRepeat(): string {
	const file = basename(expect.getState().testPath ?? '', '.ts');
	return `to repeat: SEED=${SEED} npx bun --bun vitest run --config vitest.faults.config.ts ${file}`;
}
