/**
 * Runs a command when this thread ends, for whatever reason: the end of the test file (which ends a pool thread without
 * an `exit` event), Ctrl-C, a crash or SIGKILL. Returns a function that cancels this.
 *
 * A shell waits for the end of its standard input, which only this thread holds open. The shell ignores the signals
 * that a terminal sends to the whole process group, because they would end it before it could run the command.
 */
export function runOnExit(command: readonly string[]): () => void {
	const shell = Bun.spawn(['sh', '-c', `trap '' INT TERM HUP; read -r _; "$@"`, 'run-on-exit', ...command], {
		stdin: 'pipe',
		stdout: 'ignore',
		stderr: 'ignore',
	});
	shell.unref();
	// Keeps the Subprocess from being garbage-collected, which would close the pipe and run the command too early.
	pending.add(shell);
	return () => {
		pending.delete(shell);
		shell.kill('SIGKILL');
	};
}

const pending = new Set<Bun.Subprocess>();
