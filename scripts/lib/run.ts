import { text } from 'node:stream/consumers';
import { start } from './start.ts';

export class CommandError extends Error {
	constructor(command: readonly string[], cwd: string, output: string) {
		super(`${command.join(' ')}\nfailed in ${cwd}:\n${output}`);
		this.name = 'CommandError';
	}
}

/** Runs a command. Resolves with its standard output, or rejects with all of its output if it fails. */
export async function run(command: readonly string[], cwd: string): Promise<string> {
	const child = start(command, cwd);
	child.stdin.end();
	const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), child.ended]);
	if (code !== 0) throw new CommandError(command, cwd, stdout + stderr);
	return stdout;
}
