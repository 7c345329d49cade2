import { join } from 'node:path';
import { run } from './run.ts';
import { type Manifest, type Workspace } from './workspaces.ts';

export interface Packed {
	name: string;
	tarball: string;
	/** As it is in the tarball: `workspace:` ranges are versions there. */
	manifest: Manifest;
}

/** Packs with Bun, because `npm pack` leaves `workspace:` ranges in, which nobody outside the repository can install. */
export async function pack({ dir, manifest }: Workspace, destination: string): Promise<Packed> {
	const printed = await run([process.execPath, 'pm', 'pack', '--quiet', '--destination', destination], dir);
	const tarball = join(destination, printed.trim().split('/').at(-1) ?? '');
	const packed = await run(['tar', '-xzOf', tarball, 'package/package.json'], destination);
	const files = (await run(['tar', '-tzf', tarball], destination)).split('\n');
	const stray = files.filter((file) => /\.test\.|\.test-d\.|\/test-support\//.test(file));
	if (stray.length > 0) throw new Error(`${tarball} has files of the tests: ${stray.join(', ')}`);
	if (packed.includes('workspace:')) throw new Error(`${tarball} has a workspace: range:\n${packed}`);
	return { name: manifest.name, tarball, manifest: JSON.parse(packed) };
}
