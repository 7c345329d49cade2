import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { run } from './run.ts';
import { root } from './workspaces.ts';

export interface RepositoryFile {
	/** Relative to the root of the repository. */
	path: string;
	file: string;
}

/**
 * Returns the files that git tracks, or would track because no `.gitignore` excludes them. If `paths` are given
 * (relative to the working directory), returns only those files, and the files in those folders.
 */
export async function repositoryFiles(paths: readonly string[] = []): Promise<RepositoryFile[]> {
	const wanted = paths.map((path) => resolve(path));
	const listed = await run(
		['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...wanted],
		root,
	);
	return [...new Set(listed.split('\0'))]
		.filter((path) => path !== '')
		.map((path) => ({ path, file: join(root, path) }))
		.filter(({ file }) => existsSync(file));
}
