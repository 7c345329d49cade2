import { join } from 'node:path';
import { type ScratchDir, scratchDir } from '@orijs/testkit';

/** The files of nodes whose record has to survive them, in a directory that is created when the first is needed. */
export function journalFiles(): { readonly pathOf: (node: string) => string; readonly remove: () => void } {
	let dir: ScratchDir | undefined;
	return {
		pathOf: (node) => join((dir ??= scratchDir('orijs-faults-')).path, node),
		remove: () => dir?.remove(),
	};
}
