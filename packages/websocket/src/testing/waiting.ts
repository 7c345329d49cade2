import { settledWithin, sleep, within } from '../support/promises.ts';

const POLL_MS = 5;

/** Polls until a condition holds; rejects with what `failure` returns when that takes too long. */
export async function until(condition: () => boolean, timeoutMs: number, failure: () => string): Promise<void> {
	const deadline = performance.now() + timeoutMs;
	while (!condition()) {
		if (performance.now() > deadline) throw new Error(failure());
		await sleep(POLL_MS);
	}
}

/** Repeats an attempt until the condition holds; rejects with what `failure` returns when that takes too long. */
export async function attemptUntil(
	attempt: () => Promise<unknown>,
	condition: () => boolean,
	timeoutMs: number,
	failure: () => string,
): Promise<void> {
	const deadline = performance.now() + timeoutMs;
	while (!condition()) {
		if (performance.now() > deadline) throw new Error(failure());
		// One that hangs or fails ends with the failure of the whole.
		await settledWithin(deadline - performance.now(), attempt());
		await sleep(POLL_MS);
	}
}

/** Resolves with undefined, or what a promise rejected with; rejects when it does not settle in time. */
export function settled(
	{ timeoutMs }: { readonly timeoutMs: number },
	what: string,
	promise: Promise<unknown>,
): Promise<unknown> {
	const outcome = promise.then(
		() => undefined,
		(error: unknown) => error,
	);
	return within(timeoutMs, outcome, () => new Error(`${what} did not settle within ${timeoutMs} ms`));
}
