import { AsyncLocalStorage } from 'node:async_hooks';

/** A shutdown hook that is running, or has run. */
interface HookRun {
	/** What is being stopped. */
	readonly owner: object;
	isRunning: boolean;
	/** The hook of another application that caused this one to run, by stopping its application. */
	readonly outer: HookRun | undefined;
}

/** The hook that called the running code, directly or indirectly. */
const current = new AsyncLocalStorage<HookRun>();

/** Runs a shutdown hook and waits for it. */
export async function runShutdownHook(owner: object, hook: () => unknown): Promise<void> {
	const run: HookRun = { owner, isRunning: true, outer: current.getStore() };
	try {
		await current.run(run, hook);
	} finally {
		run.isRunning = false;
	}
}

/** Whether the caller is part of a shutdown hook of `owner` that is still running. */
export function isInShutdownHook(owner: object): boolean {
	for (let run = current.getStore(); run !== undefined; run = run.outer)
		if (run.owner === owner && run.isRunning) return true;
	return false;
}
