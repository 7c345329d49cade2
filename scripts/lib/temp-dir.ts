import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onExit } from './cleanup.ts';

/**
 * Creates a directory outside the repository, so that no import in it resolves to the repository by accident. It is
 * removed when the script ends.
 */
export function tempDir(name: string): string {
	const dir = mkdtempSync(join(realpathSync(tmpdir()), `orijs-${name}-`));
	onExit(() => rmSync(dir, { recursive: true, force: true }));
	return dir;
}
