import { dirname, join } from 'node:path';
import { lineAt } from '../lib/line-at.ts';

export interface StaleName {
	line: number;
	message: string;
}

const FENCE = /^[ \t]*```(\w*)[^\n]*\n[\s\S]*?^[ \t]*```[ \t]*$/gm;
const LINK = /\]\(([^)\s]+)\)|<img [^>]*src="([^"]+)"/g;
const IN_BACKTICKS = /`([\w@.*/-]+)`/g;
const IN_CODE_BLOCK = /(?<![^\s(])[\w@.-]+(?:\/[\w@.-]+)*\.(?:ts|mjs|json|md)(?![\w/.-])/g;
const FILE = /\.(?:ts|mjs|json|md|css|html|svg|png|sh|yml)$/;
const GENERATED = /^(?:\.\/)?(?:\.vitest|\.turbo|dist|node_modules)(?:\/|$)/;

/**
 * Returns the names in a Markdown document that match no file or folder, or more than one.
 *
 * @param document the document's path from the root of the repository
 * @param paths the paths of all files from the root of the repository
 */
export function staleNames(document: string, markdown: string, paths: readonly string[]): StaleName[] {
	const files = new Files(paths);
	const found: StaleName[] = [];
	const report = (at: number, message: string): void => void found.push({ line: lineAt(markdown, at), message });

	const text = markdown.replaceAll(FENCE, (block: string, language: string, at: number) => {
		// TypeScript samples import files that the reader has to create.
		if (!/^(?:ts|typescript|js|json)$/.test(language)) {
			for (const match of block.matchAll(IN_CODE_BLOCK)) {
				const [name] = match;
				if (!GENERATED.test(name) && files.matching(name, document).length === 0) {
					report(at + match.index, `there is no ${name}`);
				}
			}
		}
		return block.replaceAll(/[^\n]/g, ' ');
	});

	for (const match of text.matchAll(LINK)) {
		const target = (match[1] ?? match[2] ?? '').replace(/#.*$/, '');
		if (target === '' || /^[a-z]+:/.test(target)) continue;
		const path = join(dirname(document), target).replace(/\/$/, '');
		if (!files.has(path)) report(match.index, `the link leads nowhere: ${target}`);
	}

	for (const match of text.matchAll(IN_BACKTICKS)) {
		const name = match[1] ?? '';
		if (GENERATED.test(name) || !(FILE.test(name) || name.endsWith('/') || files.isFromRoot(name))) continue;
		const matching = files.matching(name, document);
		// The name is that of a sample file in the document.
		if (matching.length === 0 && markdown.includes(`// ${name}\n`)) continue;
		if (matching.length === 0) report(match.index, `there is no ${name}`);
		else if (matching.length > 1 && name.includes('/') && FILE.test(name) && !name.includes('*')) {
			report(match.index, `${name} could be ${matching.join(' or ')}`);
		}
	}
	return found.toSorted((a, b) => a.line - b.line);
}

class Files {
	readonly #all = new Set<string>();
	readonly #topLevel: ReadonlySet<string>;

	constructor(paths: readonly string[]) {
		for (const path of paths) {
			for (let part = path; part !== '.'; part = dirname(part)) this.#all.add(part);
		}
		this.#topLevel = new Set(paths.filter((path) => path.includes('/')).map((path) => path.split('/')[0] ?? ''));
	}

	has(path: string): boolean {
		return path === '.' || this.#all.has(path);
	}

	/** Whether a name is a path that begins in a folder at the root. */
	isFromRoot(name: string): boolean {
		return name.includes('/') && this.#topLevel.has(name.split('/')[0] ?? '');
	}

	/** Returns the files or folders that a name in a document can refer to. */
	matching(name: string, document: string): string[] {
		const wanted = name.replace(/^\.\//, '').replace(/\/$/, '');
		if (wanted.includes('*')) return [...this.#all].filter((path) => new Bun.Glob(`**/${wanted}`).match(path));
		const folder = dirname(document);
		for (const path of [join(folder, wanted), wanted]) if (this.has(path)) return [path];
		const ending = [...this.#all].filter((path) => path.endsWith(`/${wanted}`));
		const near = ending.filter((path) => path.startsWith(`${folder}/`));
		return near.length > 0 ? near : ending;
	}
}
