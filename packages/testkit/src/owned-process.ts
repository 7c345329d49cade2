import { runOnExit } from './run-on-exit.ts';
import { outputFile } from './output-file.ts';

export interface Exit {
	/** `null` when a signal ended it. */
	readonly code: number | null;
	readonly signal: NodeJS.Signals | number | null;
}

/** `frozen` by `freeze`; a SIGSTOP from elsewhere is not noticed. */
export type ProcessState = 'running' | 'frozen' | 'ended';

/** A child process that dies with the thread that started it. */
export interface OwnedProcess {
	readonly pid: number;
	/** Never rejects. */
	readonly exited: Promise<Exit>;
	state(): ProcessState;
	/** The last 64 KiB of what it wrote to stdout and stderr. */
	output(): string;
	/** Sends a signal (default SIGKILL); after its end, does nothing. */
	kill(signal?: NodeJS.Signals): void;
	/** SIGSTOP: it hangs with all its connections open, as in an overload or a stopped machine. */
	freeze(): void;
	/** SIGCONT: it goes on where it was. */
	thaw(): void;
	/** SIGTERM, and SIGKILL when that does not end it within `graceMs` (default 2000); twice is fine. */
	stop(graceMs?: number): Promise<Exit>;
}

/** The other end of a process started with `onMessage`. */
export interface MessagingProcess extends OwnedProcess {
	/** Throws when the process has ended. */
	send(message: unknown): void;
}

export interface OwnProcessOptions {
	/** Added to this process's environment; `undefined` takes a variable away. */
	env?: Record<string, string | undefined>;
	cwd?: string;
	/** Opens a Bun IPC channel. */
	onMessage?: (message: unknown) => void;
	/** Of the channel: `advanced` is structured clone, so typed arrays stay what they are; Node understands `json` only. */
	serialization?: 'advanced' | 'json';
}

/** Throws when the executable can't be started. */
export function ownProcess(command: readonly string[], options: OwnProcessOptions = {}): MessagingProcess {
	const { env, cwd, onMessage, serialization = 'advanced' } = options;
	const output = outputFile();
	const child = Bun.spawn([...command], {
		env: { ...process.env, ...env },
		stdio: ['ignore', output.fd, output.fd],
		...(cwd !== undefined && { cwd }),
		...(onMessage && { ipc: onMessage, serialization }),
	});
	const cancelCleanup = runOnExit(['kill', '-KILL', String(child.pid)]);

	let state: ProcessState = 'running';
	const exited = child.exited.then((): Exit => {
		state = 'ended';
		cancelCleanup();
		output.close();
		return { code: child.exitCode, signal: child.signalCode };
	});

	const kill = (signal: NodeJS.Signals = 'SIGKILL'): void => {
		if (state !== 'ended') child.kill(signal);
	};

	return {
		pid: child.pid,
		exited,
		state: () => state,
		output: () => output.read(),
		kill,
		freeze() {
			if (state === 'running') state = 'frozen';
			kill('SIGSTOP');
		},
		thaw() {
			if (state === 'frozen') state = 'running';
			kill('SIGCONT');
		},
		async stop(graceMs = 2000) {
			// A stopped process can't act on SIGTERM, and waking it for that would let it do more work.
			kill(state === 'frozen' ? 'SIGKILL' : 'SIGTERM');
			const timer = setTimeout(() => kill('SIGKILL'), graceMs);
			try {
				return await exited;
			} finally {
				clearTimeout(timer);
			}
		},
		send(message) {
			child.send(message);
		},
	};
}
