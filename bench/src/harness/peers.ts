import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PEERS = fileURLToPath(new URL('../../peers', import.meta.url));

/** Thrown when the packages of the peers could not be installed. The message includes the installer's output. */
export class PeersInstallError extends Error {
	override readonly name = 'PeersInstallError';
}

/** Installs the peers in exactly the versions of `bench/peers/bun.lock`. */
export async function installPeers(): Promise<void> {
	const install = Bun.spawn([process.execPath, 'install', '--frozen-lockfile'], {
		cwd: PEERS,
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	const [output, errors, code] = await Promise.all([install.stdout.text(), install.stderr.text(), install.exited]);
	if (code !== 0) throw new PeersInstallError(`bun install in ${PEERS} exited with code ${code}\n${output}${errors}`);
}

const built = new Map<string, Promise<string>>();

/** Bundles a script of the peers for Node, once, and resolves with the path of the bundle. Packages stay external. */
export function buildForNode(script: string): Promise<string> {
	const build = built.get(script) ?? bundle(script);
	built.set(script, build);
	return build;
}

/** Defines `Promise.withResolvers`, which the testkit uses and Node 20 lacks. */
const WITH_RESOLVERS = `Promise.withResolvers ??= function () {
	const all = {};
	all.promise = new this((resolve, reject) => Object.assign(all, { resolve, reject }));
	return all;
};`;

async function bundle(script: string): Promise<string> {
	const { dependencies } = (await Bun.file(join(PEERS, 'package.json')).json()) as { dependencies: object };
	const outdir = join(dirname(script), '.built');
	const naming = `${basename(script, '.ts')}.mjs`;
	await Bun.build({
		entrypoints: [script],
		target: 'node',
		conditions: ['@orijs/source'],
		external: Object.keys(dependencies),
		banner: WITH_RESOLVERS,
		outdir,
		naming,
	});
	return join(outdir, naming);
}
