/** The last check before a release: packs the built packages, installs them, and uses them as a user would. */
import { join } from 'node:path';
import { type Packed, pack } from './lib/pack.ts';
import { run } from './lib/run.ts';
import { tempDir } from './lib/temp-dir.ts';
import { publicPackages, readManifest, root } from './lib/workspaces.ts';
import { verifyAlone } from './verify/alone.ts';
import { runClientOnNode, typecheckForBrowsers } from './verify/client.ts';
import { bundleClient } from './verify/client-size.ts';
import { consumer } from './verify/consumer.ts';
import { importAll, specifiers, typecheckAll } from './verify/imports.ts';
import { resolveLikeMetro } from './verify/metro.ts';
import { runQuickStart, typecheckQuickStart } from './verify/quick-start.ts';

const packages = await publicPackages();
const tarballs = tempDir('tarballs');
const all: Packed[] = [];

for (const workspace of packages) {
	const packed = await pack(workspace, tarballs);
	await run([join(root, 'node_modules/.bin/publint'), 'run', '--strict', packed.tarball], root);
	await run([join(root, 'node_modules/.bin/attw'), '--profile', 'esm-only', packed.tarball], root);
	all.push(packed);
	passed(`${packed.name}@${packed.manifest.version} can be packed; publint and attw accept it`);
}

for (const packed of all) {
	await verifyAlone(packed, all);
	passed(`${packed.name} can be installed and loaded alone`);
}

const dir = await consumer({
	name: 'consumer',
	install: all,
	all,
	with: { ...(await peers()), ws: await versionOfWs() },
});
const names = all.flatMap(specifiers);
await importAll(dir, names);
passed(`Bun imports ${names.join(', ')}`);
await typecheckAll(dir, names);
passed('tsc accepts their declarations');

const readme = await Bun.file(join(root, 'packages/websocket/README.md')).text();
await runQuickStart(dir, readme);
passed('the quick start of the README runs: a client connects and receives a broadcast');
await typecheckQuickStart(dir, readme);
passed('tsc accepts the typed quick start');

const { total, parts } = await bundleClient(dir);
const byPart = [...parts].map(([part, bytes]) => `${part} ${bytes}`).join(', ');
passed(`SocketClient adds ${total} bytes, gzipped, to a page's bundle: ${byPart}`);
await typecheckForBrowsers(dir);
passed('tsc accepts the client without the types of Bun and Node');
await resolveLikeMetro(dir);
passed("Metro finds all modules of the client, with and without the packages' exports");
for (const major of [20, 22] as const) {
	await runClientOnNode(dir, major);
	passed(`the client works on Node ${major}`);
}

/**
 * Returns the dependencies that a user installs in addition to the packages, in the versions that the repository uses.
 */
async function peers(): Promise<Record<string, string>> {
	const versions: Record<string, string> = {};
	for (const { dir: from, manifest } of [...packages, { dir: root, manifest: await readManifest(root) }]) {
		for (const name of [...Object.keys(manifest.peerDependencies ?? {}), 'typescript', '@types/bun']) {
			if (all.some((packed) => packed.name === name)) continue;
			const installed = join(from, 'node_modules', name);
			if (await Bun.file(join(installed, 'package.json')).exists()) {
				versions[name] = (await readManifest(installed)).version;
			}
		}
	}
	return versions;
}

/** Returns the version of `ws` with which the types of the client are tested. */
async function versionOfWs(): Promise<string> {
	return (await readManifest(join(root, 'packages/websocket-client/node_modules/ws'))).version;
}

function passed(what: string): void {
	console.log(`✓ ${what}`);
}
