import { dirname, join } from 'node:path';

export interface Manifest {
	name: string;
	version: string;
	private?: boolean;
	workspaces?: string[];
	exports?: Record<string, unknown>;
	scripts?: Record<string, string>;
	dependencies?: Record<string, string>;
	peerDependencies?: Record<string, string>;
}

export interface Workspace {
	dir: string;
	manifest: Manifest;
}

export const root: string = join(import.meta.dirname, '../..');

export async function readManifest(dir: string): Promise<Manifest> {
	return await Bun.file(join(dir, 'package.json')).json();
}

export async function workspaces(): Promise<Workspace[]> {
	const { workspaces: patterns = [] } = await readManifest(root);
	const found: Workspace[] = [];
	for (const pattern of patterns) {
		for (const path of new Bun.Glob(`${pattern}/package.json`).scanSync(root)) {
			const dir = join(root, dirname(path));
			found.push({ dir, manifest: await readManifest(dir) });
		}
	}
	return found.toSorted((a, b) => a.dir.localeCompare(b.dir));
}

/** Returns the packages that are published, dependencies first. */
export async function publicPackages(): Promise<Workspace[]> {
	const all = (await workspaces()).filter(({ manifest }) => manifest.private !== true);
	const ordered = new Set<Workspace>();
	const visit = (workspace: Workspace): void => {
		const needed = { ...workspace.manifest.dependencies, ...workspace.manifest.peerDependencies };
		for (const other of all) if (other.manifest.name in needed) visit(other);
		ordered.add(workspace);
	};
	for (const workspace of all) visit(workspace);
	return [...ordered];
}
