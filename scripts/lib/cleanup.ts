/**
 * The clean-up functions to run when the script ends, whether normally, by an error or by a signal; the latest one
 * first.
 */
const undos = new Set<() => void>();

/** Runs `undo` when the script ends. Returns a function that cancels this. */
export function onExit(undo: () => void): () => void {
	undos.add(undo);
	return () => undos.delete(undo);
}

process.once('exit', () => {
	for (const undo of [...undos].toReversed()) undo();
});
process.once('SIGHUP', () => process.exit(129));
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));
