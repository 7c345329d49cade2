/**
 * Publishes every package whose version the registry doesn't have, each after those it depends on. The tarballs are
 * packed by Bun, because what `changeset publish` packs with npm can't be installed: it keeps `workspace:` ranges.
 */
import { pack } from './lib/pack.ts';
import { run } from './lib/run.ts';
import { tempDir } from './lib/temp-dir.ts';
import { publicPackages } from './lib/workspaces.ts';

const tarballs = tempDir('release');

for (const workspace of await publicPackages()) {
	const { name, version } = workspace.manifest;
	if (await isPublished(name, version)) {
		console.log(`${name}@${version} is published already`);
		continue;
	}
	const { tarball } = await pack(workspace, tarballs);
	const npm = Bun.spawnSync(['npm', 'publish', tarball, '--access', 'public', ...process.argv.slice(2)], {
		stdio: ['inherit', 'inherit', 'inherit'],
	});
	if (!npm.success) process.exit(1);
}

async function isPublished(name: string, version: string): Promise<boolean> {
	const versions = await run([process.execPath, 'pm', 'view', `${name}@${version}`, 'version'], tarballs).catch(
		() => '',
	);
	return versions.trim() === version;
}
