import { timeoutError, within } from './within.ts';

const SLOWEST_POLL_MS = 5;

export interface UntilOptions {
	/**
	 * Names the condition in the error: "timed out after 5000 ms waiting until {what}". A function is asked only when time
	 * is up, so that it can add how far things have come.
	 */
	what: string | (() => string);
	/** Milliseconds; default 5000. Also bounds a condition whose promise never settles. */
	timeoutMs?: number;
}

/**
 * Waits for a condition by polling it every 1 to 5 ms. For what no event tells; where one does, await the event.
 * A condition that throws ends the wait with its error: "not yet" is `false`.
 */
export async function until(condition: () => boolean | Promise<boolean>, options: UntilOptions): Promise<void> {
	const { what, timeoutMs = 5000 } = options;
	const givenUp = new AbortController();
	const poll = async (): Promise<void> => {
		for (let delay = 1; !givenUp.signal.aborted && !(await condition()); delay = Math.min(delay + 1, SLOWEST_POLL_MS)) {
			await Bun.sleep(delay);
		}
	};
	try {
		const late = timeoutError(
			() => `timed out after ${timeoutMs} ms waiting until ${typeof what === 'string' ? what : what()}`,
		);
		await within(timeoutMs, poll(), late);
	} finally {
		givenUp.abort();
	}
}
