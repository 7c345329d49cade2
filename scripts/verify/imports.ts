import { join } from 'node:path';
import type { Packed } from '../lib/pack.ts';
import { run } from '../lib/run.ts';

/** Returns the specifiers that a user can import from a package, one for each of its export subpaths. */
export function specifiers({ name, manifest }: Packed): string[] {
	return Object.keys(manifest.exports ?? {})
		.filter((subpath) => subpath !== './package.json')
		.map((subpath) => join(name, subpath));
}

/** Imports each specifier on Bun, and checks that it resolves to the built file, as it does on Node. */
export async function importAll(dir: string, names: readonly string[]): Promise<void> {
	const program = names.map(
		(name) => `
		await import('${name}');
		if (!import.meta.resolve('${name}').includes('/dist/')) throw new Error('${name} does not resolve to a built file on Bun');
	`,
	);
	await Bun.write(join(dir, 'imports.ts'), program.join(''));
	await run([process.execPath, 'imports.ts'], dir);
}

/** Type-checks the declarations of each specifier, and everything they import. */
export async function typecheckAll(dir: string, names: readonly string[]): Promise<void> {
	const program = names.map((name, index) => `export * as package${index} from '${name}';\n`);
	await Bun.write(join(dir, 'typed/declarations.ts'), program.join(''));
	await run([join(dir, 'node_modules/.bin/tsc')], dir);
}
