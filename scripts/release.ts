/**
 * Publishes every package whose version is not in the registry, dependencies first. Passes its arguments on to
 * `npm publish`. The tarballs are packed by Bun, because `changeset publish` packs with npm, which keeps `workspace:`
 * ranges, so the packages could not be installed.
 */
import { pack } from './lib/pack.ts';
import { run } from './lib/run.ts';
import { tempDir } from './lib/temp-dir.ts';
import { publicPackages } from './lib/workspaces.ts';

const tarballs = tempDir('release');

for (const workspace of await publicPackages()) {
	const { name, version } = workspace.manifest;
	if (await isPublished(name, version)) {
		console.log(`${name}@${version} is already published`);
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
