import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { onExit } from './cleanup.ts';

export interface Child {
	stdin: ChildProcessWithoutNullStreams['stdin'];
	stdout: ChildProcessWithoutNullStreams['stdout'];
	stderr: ChildProcessWithoutNullStreams['stderr'];
	/** Resolves with its exit code, or with `null` if a signal ended it. */
	ended: Promise<number | null>;
	kill(): void;
}

/** Starts a command that ends with this script at the latest, and everything that it starts with it. */
export function start([command = '', ...args]: readonly string[], cwd: string): Child {
	// A process group of its own: some tools are a launcher, and killing the launcher leaves the tool running.
	const child = spawn(command, args, { cwd, detached: true, stdio: 'pipe' });
	const kill = (): void => {
		if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
			process.kill(-child.pid, 'SIGKILL');
		}
	};
	const forget = onExit(kill);
	const ended = once(child, 'close').then(([code]) => {
		forget();
		return code as number | null;
	});
	return { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, ended, kill };
}
