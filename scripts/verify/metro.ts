import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { resolve, type ResolutionContext } from 'metro-resolver';

const program = `
import { SocketClient } from '@orijs/websocket-client';
import { SocketMessage } from '@orijs/websocket/protocol';
console.log(SocketClient, SocketMessage);
`;

/**
 * Resolves, with Metro's resolver as in React Native, everything that an app with the client imports. Before React
 * Native 0.79, Metro ignores the `exports` of packages. Checks that it then finds the same files.
 */
export async function resolveLikeMetro(dir: string): Promise<void> {
	const app = join(dir, 'metro.js');
	await Bun.write(app, program);
	const [withExports, without] = await Promise.all([modulesOf(app, true), modulesOf(app, false)]);
	const differing = [...withExports.symmetricDifference(without)];
	if (differing.length > 0) throw new Error(`Without exports, Metro finds other files: ${differing.join(', ')}`);
	for (const name of ['websocket-client/dist/index.js', 'websocket/dist/protocol/index.js']) {
		if (![...without].some((path) => path.endsWith(name))) throw new Error(`Metro does not find ${name}`);
	}
}

/** Returns the files that a file imports, directly or indirectly. @throws an import can't be resolved */
async function modulesOf(entry: string, unstable_enablePackageExports: boolean): Promise<Set<string>> {
	const transpiler = new Bun.Transpiler({ loader: 'js' });
	const found = new Set<string>([entry]);
	for (const originModulePath of found) {
		const imports = transpiler.scanImports(await Bun.file(originModulePath).text());
		for (const { path } of imports) {
			const context = { ...metro, originModulePath, unstable_enablePackageExports };
			const resolution = resolve(context, path, 'ios');
			if (resolution.type !== 'sourceFile') throw new Error(`${path} in ${originModulePath} is not a source file`);
			found.add(resolution.filePath);
		}
	}
	return found;
}

/** Metro's defaults in React Native. */
const metro: Omit<ResolutionContext, 'originModulePath' | 'unstable_enablePackageExports'> = {
	allowHaste: false,
	assetExts: new Set(['png']),
	customResolverOptions: {},
	dev: false,
	disableHierarchicalLookup: false,
	doesFileExist: (path) => existsSync(path) && statSync(path).isFile(),
	extraNodeModules: null,
	fileSystemLookup(path) {
		if (!existsSync(path)) return { exists: false };
		return { exists: true, type: statSync(path).isFile() ? 'f' : 'd', realPath: realpathSync(path) };
	},
	getPackage: (path) => (existsSync(path) ? require(path) : null),
	getPackageForModule(path) {
		for (let rootPath = dirname(path); rootPath !== dirname(rootPath); rootPath = dirname(rootPath)) {
			const manifest = join(rootPath, 'package.json');
			if (rootPath.endsWith('node_modules')) return null;
			if (existsSync(manifest)) {
				return { packageJson: require(manifest), rootPath, packageRelativePath: path.slice(rootPath.length + 1) };
			}
		}
		return null;
	},
	isESMImport: true,
	mainFields: ['react-native', 'browser', 'main'],
	nodeModulesPaths: [],
	preferNativePlatform: true,
	redirectModulePath: (path) => path,
	resolveAsset: () => null,
	resolveHasteModule: () => undefined,
	resolveHastePackage: () => undefined,
	sourceExts: ['js', 'jsx', 'json', 'ts', 'tsx'],
	unstable_conditionNames: ['require', 'react-native'],
	unstable_conditionsByPlatform: {},
	unstable_incrementalResolution: false,
	unstable_logWarning(message) {
		throw new Error(message);
	},
};
