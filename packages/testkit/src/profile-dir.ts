import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runOnExit } from './run-on-exit.ts';

export interface ProfileDir {
	readonly path: string;
	/** Removes it with its content; call it when the browser has ended. Idempotent. */
	remove(): void;
}

/**
 * A browser's helper processes end shortly after it. Until then they write to its profile and may even recreate the
 * directory, so a background process removes it repeatedly for two seconds.
 */
const REMOVE = ['sh', '-c', 'for i in 1 2 3 4 5 6 7 8 9 10; do rm -rf "$0"; sleep 0.2; done'];

/** Creates a directory for a browser's profile. It is removed at the latest two seconds after the test ends. */
export function profileDir(): ProfileDir {
	const path = mkdtempSync(join(tmpdir(), 'orijs-chromium-'));
	const cancelCleanup = runOnExit([...REMOVE, path]);
	return {
		path,
		remove() {
			try {
				rmSync(path, { recursive: true, force: true });
			} catch {
				// A helper process wrote to it meanwhile; the background process removes the rest.
			}
			Bun.spawn([...REMOVE, path], { stdio: ['ignore', 'ignore', 'ignore'] }).unref();
			cancelCleanup();
		},
	};
}
