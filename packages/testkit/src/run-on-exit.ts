/**
 * Has a shell command carried out when this thread is gone, however it went: end of the test file (which ends a pool
 * thread without its `exit` event), Ctrl-C, crash, SIGKILL. Hands back the undo, for when the matter is settled.
 *
 * A small shell waits for the end of its standard input, which only we hold open. It stays deaf to the signals that a
 * terminal sends to the whole process group, or it would die before it can do its work.
 */
export function runOnExit(command: readonly string[]): () => void {
	const executor = Bun.spawn(['sh', '-c', `trap '' INT TERM HUP; read -r _; "$@"`, 'run-on-exit', ...command], {
		stdin: 'pipe',
		stdout: 'ignore',
		stderr: 'ignore',
	});
	executor.unref();
	// Held here as well: a collected Subprocess would close the pipe, and carry out the will of the living.
	standing.add(executor);
	return () => {
		standing.delete(executor);
		executor.kill('SIGKILL');
	};
}

const standing = new Set<Bun.Subprocess>();
