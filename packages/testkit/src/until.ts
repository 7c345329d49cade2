import { timeoutError, within } from './within.ts';

const SLOWEST_POLL_MS = 5;

export interface UntilOptions {
	/**
	 * Names the condition in the error: "timed out after 5000 ms waiting until {what}". A function is called only when
	 * the time is up, so that it can describe the state at that moment.
	 */
	what: string | (() => string);
	/** How long to wait, in milliseconds. Default 5000. Also applies if the condition's promise never settles. */
	timeoutMs?: number;
}

/**
 * Waits for a condition to become true, by polling it every 1 to 5 ms. If there is an event for the condition, await
 * the event instead. If the condition throws, this rejects, so the condition must return `false` for "not yet".
 */
export async function until(condition: () => boolean | Promise<boolean>, options: UntilOptions): Promise<void> {
	const { what, timeoutMs = 5000 } = options;
	const stopped = new AbortController();
	const poll = async (): Promise<void> => {
		for (let delay = 1; !stopped.signal.aborted && !(await condition()); delay = Math.min(delay + 1, SLOWEST_POLL_MS)) {
			await Bun.sleep(delay);
		}
	};
	try {
		const late = timeoutError(
			() => `timed out after ${timeoutMs} ms waiting until ${typeof what === 'string' ? what : what()}`,
		);
		await within(timeoutMs, poll(), late);
	} finally {
		stopped.abort();
	}
}
