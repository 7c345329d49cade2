import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runOnExit } from './run-on-exit.ts';

export interface ScratchDir {
	readonly path: string;
	/** Removes the directory and its contents. Can be called more than once. */
	remove(): void;
}

/** Creates a directory. It is removed when the test ends, unless `remove` is called earlier. */
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
