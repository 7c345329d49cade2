import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { onExit } from './cleanup.ts';

export interface Child {
	stdin: ChildProcessWithoutNullStreams['stdin'];
	stdout: ChildProcessWithoutNullStreams['stdout'];
	stderr: ChildProcessWithoutNullStreams['stderr'];
	/** Resolves with the exit code, or with `null` if a signal ended the command. */
	ended: Promise<number | null>;
	kill(): void;
}

/** Starts a command. The command and all processes that it has started are killed when this script ends. */
export function start([command = '', ...args]: readonly string[], cwd: string): Child {
	// The command gets its own process group, because killing only a launcher would leave the tool that it launched
	// running.
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
