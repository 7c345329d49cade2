import { runOnExit } from './run-on-exit.ts';
import { outputFile } from './output-file.ts';

export interface Exit {
	/** `null` when a signal ended it. */
	readonly code: number | null;
	readonly signal: NodeJS.Signals | number | null;
}

/** `frozen` by `freeze`; a SIGSTOP from elsewhere is not detected. */
export type ProcessState = 'running' | 'frozen' | 'ended';

/** A child process that is killed when the thread that started it ends. */
export interface OwnedProcess {
	readonly pid: number;
	/** Never rejects. */
	readonly exited: Promise<Exit>;
	state(): ProcessState;
	/** Returns the last 64 KiB of its stdout and stderr. */
	output(): string;
	/** Sends a signal (default SIGKILL), unless it has ended. */
	kill(signal?: NodeJS.Signals): void;
	/** Sends SIGSTOP: it hangs with its connections open, as under overload or on a paused machine. */
	freeze(): void;
	/** Sends SIGCONT: it continues where it stopped. */
	thaw(): void;
	/** Sends SIGTERM, then SIGKILL if it does not end within `graceMs` (default 2000). Idempotent. */
	stop(graceMs?: number): Promise<Exit>;
}

/** A process started with `onMessage`. */
export interface MessagingProcess extends OwnedProcess {
	/** Throws if the process has ended. */
	send(message: unknown): void;
}

export interface OwnProcessOptions {
	/** Added to this process's environment; `undefined` removes a variable. */
	env?: Record<string, string | undefined>;
	cwd?: string;
	/** Opens a Bun IPC channel. */
	onMessage?: (message: unknown) => void;
	/** Of IPC messages; default `advanced`: structured clone, which keeps typed arrays. Node supports only `json`. */
	serialization?: 'advanced' | 'json';
}

/** Throws if the executable can't be started. */
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
			// A stopped process can't handle SIGTERM, and SIGCONT would let it do more work.
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
