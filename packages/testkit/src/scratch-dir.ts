import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runOnExit } from './run-on-exit.ts';

export interface ScratchDir {
	readonly path: string;
	/** Removes it with its content. Idempotent. */
	remove(): void;
}

/** Creates a directory that is removed at the latest when the test ends. */
export function scratchDir(prefix: string): ScratchDir {
	const path = mkdtempSync(join(tmpdir(), prefix));
	const cancel = runOnExit(['rm', '-rf', path]);
	return {
		path,
		remove() {
			rmSync(path, { recursive: true, force: true });
			cancel();
		},
	};
}
