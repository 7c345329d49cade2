import { join } from 'node:path';
import { run } from './run.ts';
import { type Manifest, type Workspace } from './workspaces.ts';

export interface Packed {
	name: string;
	tarball: string;
	/** The manifest in the tarball, in which versions have replaced `workspace:` ranges. */
	manifest: Manifest;
}

/**
 * Packs a package with Bun, because `npm pack` keeps `workspace:` ranges, which can't be installed outside the
 * repository.
 */
export async function pack({ dir, manifest }: Workspace, destination: string): Promise<Packed> {
	const printed = await run([process.execPath, 'pm', 'pack', '--quiet', '--destination', destination], dir);
	const tarball = join(destination, printed.trim().split('/').at(-1) ?? '');
	const packed = await run(['tar', '-xzOf', tarball, 'package/package.json'], destination);
	const files = (await run(['tar', '-tzf', tarball], destination)).split('\n');
	const stray = files.filter((file) => /\.test\.|\.test-d\.|\/test-support\//.test(file));
	if (stray.length > 0) throw new Error(`${tarball} contains test files: ${stray.join(', ')}`);
	if (packed.includes('workspace:')) throw new Error(`${tarball} contains a workspace: range:\n${packed}`);
	return { name: manifest.name, tarball, manifest: JSON.parse(packed) };
}
