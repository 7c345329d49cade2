/** Makes sure that the `URL` classes of several releases of React Native are in the cache, for tests of the client. */
import { existsSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, rename } from 'node:fs/promises';
import { join } from 'node:path';
import removeTypes from 'flow-remove-types';
import {
	REACT_NATIVE_CACHE,
	REACT_NATIVE_RELEASES,
	reactNativeUrl,
} from '../packages/websocket-client/src/test-support/react-native-url.ts';
import { onExit } from './lib/cleanup.ts';
import { run } from './lib/run.ts';

const missing = REACT_NATIVE_RELEASES.filter((release) => !existsSync(reactNativeUrl(release)));
if (missing.length > 0) {
	console.log(`Downloading react-native ${missing.join(', ')} for its URL class`);
	await mkdir(REACT_NATIVE_CACHE, { recursive: true });
	// A directory on the same file system, so that complete releases can be moved.
	const dir = await mkdtemp(join(REACT_NATIVE_CACHE, 'incomplete-'));
	onExit(() => rmSync(dir, { recursive: true, force: true }));
	await Promise.all(missing.map((release) => download(release, dir)));
}

async function download(release: string, dir: string): Promise<void> {
	const tarball = await run(['npm', 'pack', '--silent', `react-native@${release}`], dir);
	const unpacked = join(dir, release);
	await mkdir(unpacked);
	await run(['tar', '-xzf', join(dir, tarball.trim()), '-C', unpacked, 'package/Libraries/Blob'], dir);
	const loadable = join(dir, `${release}-loadable`);
	for (const path of new Bun.Glob('package/Libraries/Blob/{URL,URLSearchParams}.js').scanSync(unpacked)) {
		const code = removeTypes(await Bun.file(join(unpacked, path)).text(), { all: true }).toString();
		// React Native's bundler adds the extensions of imported files.
		const complete = code.replaceAll(/ from '(\.\/\w+)';/g, " from '$1.js';");
		await Bun.write(join(loadable, path.split('/').at(-1) ?? ''), complete);
	}
	// On a device this is native code. It is only used for `blob:` URLs.
	await Bun.write(join(loadable, 'NativeBlobModule.js'), 'export default null;\n');
	try {
		await rename(loadable, join(REACT_NATIVE_CACHE, release));
	} catch (error) {
		// Another process may have been faster.
		if (!existsSync(reactNativeUrl(release))) throw error;
	}
}
