import { join } from 'node:path';

/**
 * The maximum size that the client may add to a page, minified and gzipped, in bytes. A sixth of it is presence, which
 * is a method of the client, so that bundlers can't leave it out.
 */
const MAX_BYTES = 17.6 * 1024;

const program =
	"import { SocketClient } from '@orijs/websocket-client';\nObject.assign(globalThis, { SocketClient });\n";

/** The size of a bundle. */
export interface ClientSize {
	/** Minified and gzipped, in bytes. */
	readonly total: number;
	/** The share of each part in the total, in bytes, the largest first. A part is a directory of the source. */
	readonly parts: ReadonlyMap<string, number>;
}

/** Bundles the client as a page's bundler would. @throws {Error} the bundle is too large */
export async function bundleClient(dir: string): Promise<ClientSize> {
	const entry = join(dir, 'page.ts');
	await Bun.write(entry, program);
	const { outputs, metafile } = await Bun.build({
		entrypoints: [entry],
		target: 'browser',
		minify: true,
		metafile: true,
	});
	const [bundle] = outputs;
	if (bundle === undefined || metafile === undefined) throw new Error('The client could not be bundled');
	const total = Bun.gzipSync(await bundle.arrayBuffer(), { level: 9 }).byteLength;
	if (total > MAX_BYTES) throw new Error(`The client is ${total} bytes gzipped; at most ${MAX_BYTES} are allowed`);
	return { total, parts: shares(Object.values(metafile.outputs)[0]?.inputs ?? {}, total) };
}

/** Divides the total among the parts, in proportion to their minified code. */
function shares(inputs: Record<string, { readonly bytesInOutput: number }>, total: number): Map<string, number> {
	const minified = new Map<string, number>();
	for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
		const part = partOf(file);
		minified.set(part, (minified.get(part) ?? 0) + bytesInOutput);
	}
	const all = [...minified.values()].reduce((sum, bytes) => sum + bytes, 0);
	return new Map(
		[...minified]
			.map(([part, bytes]): [string, number] => [part, Math.round((bytes / all) * total)])
			.filter(([, bytes]) => bytes > 0)
			.toSorted(([, a], [, b]) => b - a),
	);
}

/** Returns the directory below `dist`; for files in `dist` itself, `socket-client`, which is most of them. */
function partOf(file: string): string {
	return /\/dist\/(.+)\/[^/]+$/.exec(file)?.[1] ?? 'socket-client';
}
