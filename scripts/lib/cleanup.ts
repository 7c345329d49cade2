/** What a script opened is undone, latest first, however the script ends: by its own end, an error or a signal. */
const undos = new Set<() => void>();

/** Gives back what forgets the undo, for when it has been done already. */
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
