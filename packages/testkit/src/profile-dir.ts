import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runOnExit } from './run-on-exit.ts';

export interface ProfileDir {
	readonly path: string;
	/** Removes it with all its content, once its browser has ended; twice is fine. */
	remove(): void;
}

/**
 * The helper processes of a browser end a moment after it, and until then write to its profile and even make the directory
 * anew. So it is removed again and again for two seconds, by a process that nobody has to wait for.
 */
const REMOVE = ['sh', '-c', 'for i in 1 2 3 4 5 6 7 8 9 10; do rm -rf "$0"; sleep 0.2; done'];

/** A directory for a browser's profile, gone at the latest two seconds after the test is. */
export function profileDir(): ProfileDir {
	const path = mkdtempSync(join(tmpdir(), 'orijs-chromium-'));
	const cancelCleanup = runOnExit([...REMOVE, path]);
	return {
		path,
		remove() {
			try {
				rmSync(path, { recursive: true, force: true });
			} catch {
				// A helper wrote to it meanwhile; the next line sees to that.
			}
			Bun.spawn([...REMOVE, path], { stdio: ['ignore', 'ignore', 'ignore'] }).unref();
			cancelCleanup();
		},
	};
}
