import { runOnExit } from './run-on-exit.ts';
import { outputFile } from './output-file.ts';

export interface Exit {
	/** The exit code; `null` if a signal ended the process. */
	readonly code: number | null;
	readonly signal: NodeJS.Signals | number | null;
}

/** `frozen` means frozen by `freeze`: a SIGSTOP from elsewhere is not detected. */
export type ProcessState = 'running' | 'frozen' | 'ended';

/** A child process that is killed when the thread that started it ends. */
export interface OwnedProcess {
	readonly pid: number;
	/** Resolves when the process has ended. Never rejects. */
	readonly exited: Promise<Exit>;
	state(): ProcessState;
	/** Returns the last 64 KiB of the process's stdout and stderr. */
	output(): string;
	/** Returns how many bytes the process has written to stdout and stderr. */
	outputBytes(): number;
	/** Sends a signal (default SIGKILL), unless the process has ended. */
	kill(signal?: NodeJS.Signals): void;
	/** Sends SIGSTOP: the process hangs with its connections open, as under overload or on a paused machine. */
	freeze(): void;
	/** Sends SIGCONT: the process continues where it was stopped. */
	thaw(): void;
	/**
	 * Sends SIGTERM, followed by SIGKILL if the process does not end within `graceMs` (default 2000). A frozen process
	 * is killed immediately. Can be called more than once.
	 */
	stop(graceMs?: number): Promise<Exit>;
}

/** A process started with `onMessage`. */
export interface MessagingProcess extends OwnedProcess {
	/** Sends a message over the IPC channel. Throws if the process has ended. */
	send(message: unknown): void;
}

export interface OwnProcessOptions {
	/** Variables to add to the environment inherited from the parent; `undefined` removes a variable. */
	env?: Record<string, string | undefined>;
	cwd?: string;
	/** Called with each message from the process. If set, a Bun IPC channel is opened. */
	onMessage?: (message: unknown) => void;
	/**
	 * How IPC messages are serialized. Default `advanced`, which is structured clone and preserves typed arrays. Node
	 * only supports `json`.
	 */
	serialization?: 'advanced' | 'json';
}

/** Starts a process. Throws if the executable can't be started. */
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
		outputBytes: () => output.size(),
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
			// A frozen process can't handle SIGTERM, and SIGCONT would let it continue to work.
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
