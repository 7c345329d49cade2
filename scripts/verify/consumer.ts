import { join } from 'node:path';
import type { Packed } from '../lib/pack.ts';
import { run } from '../lib/run.ts';
import { tempDir } from '../lib/temp-dir.ts';

/**
 * The settings that `bun init` writes, except that tsc reads the folder `typed` and also checks the declarations of the
 * packages.
 */
const tsconfig = {
	compilerOptions: {
		lib: ['ESNext'],
		target: 'ESNext',
		module: 'Preserve',
		moduleDetection: 'force',
		types: ['bun'],
		moduleResolution: 'bundler',
		allowImportingTsExtensions: true,
		verbatimModuleSyntax: true,
		noEmit: true,
		strict: true,
		skipLibCheck: false,
		noFallthroughCasesInSwitch: true,
		noUncheckedIndexedAccess: true,
		noImplicitOverride: true,
	},
	include: ['typed'],
};

/**
 * Creates a user's project in an empty directory, and installs packages from their tarballs. The tarballs depend on
 * versions of each other that are not in the registry, so every package is overridden with its tarball.
 */
export async function consumer(options: {
	name: string;
	install: readonly Packed[];
	all: readonly Packed[];
	/** Further dependencies, with their versions. */
	with?: Record<string, string>;
}): Promise<string> {
	const dir = tempDir(options.name);
	const tarballs = (packages: readonly Packed[]): Record<string, string> =>
		Object.fromEntries(packages.map(({ name, tarball }) => [name, `file:${tarball}`]));
	const manifest = {
		name: options.name,
		private: true,
		type: 'module',
		dependencies: { ...tarballs(options.install), ...options.with },
		overrides: tarballs(options.all),
	};
	await Bun.write(join(dir, 'package.json'), JSON.stringify(manifest, null, '\t'));
	await Bun.write(join(dir, 'tsconfig.json'), JSON.stringify(tsconfig, null, '\t'));
	await run([process.execPath, 'install'], dir);
	return dir;
}
