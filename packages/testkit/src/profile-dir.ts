import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runOnExit } from './run-on-exit.ts';

export interface ProfileDir {
	readonly path: string;
	/** Removes the directory and its contents. Call it when the browser has ended. Can be called more than once. */
	remove(): void;
}

/**
 * A browser's helper processes end shortly after the browser. Until then, they write to its profile and may even
 * recreate the directory, so a background process removes the directory repeatedly for two seconds.
 */
const REMOVE = ['sh', '-c', 'for i in 1 2 3 4 5 6 7 8 9 10; do rm -rf "$0"; sleep 0.2; done'];

/**
 * Creates a directory for a browser's profile. It is removed within two seconds after the test ends, unless `remove` is
 * called earlier.
 */
export function profileDir(): ProfileDir {
	const path = mkdtempSync(join(tmpdir(), 'orijs-chromium-'));
	const cancelCleanup = runOnExit([...REMOVE, path]);
	return {
		path,
		remove() {
			try {
				rmSync(path, { recursive: true, force: true });
			} catch {
				// A helper process has written to the directory in the meantime. The background process removes the rest.
			}
			Bun.spawn([...REMOVE, path], { stdio: ['ignore', 'ignore', 'ignore'] }).unref();
			cancelCleanup();
		},
	};
}
