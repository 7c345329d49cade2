import { settledWithin, sleep, within } from '../support/promises.ts';

const POLL_MS = 5;

/** Polls until a condition holds. If that takes too long, rejects with the message that `failure` returns. */
export async function until(condition: () => boolean, timeoutMs: number, failure: () => string): Promise<void> {
	const deadline = performance.now() + timeoutMs;
	while (!condition()) {
		if (performance.now() > deadline) throw new Error(failure());
		await sleep(POLL_MS);
	}
}

/** Like {@link until}, but repeats an attempt until the condition holds. */
export async function attemptUntil(
	attempt: () => Promise<unknown>,
	condition: () => boolean,
	timeoutMs: number,
	failure: () => string,
): Promise<void> {
	const deadline = performance.now() + timeoutMs;
	while (!condition()) {
		if (performance.now() > deadline) throw new Error(failure());
		// An attempt that fails is repeated. One that hangs is abandoned at the deadline.
		await settledWithin(deadline - performance.now(), attempt());
		await sleep(POLL_MS);
	}
}

/**
 * Resolves with undefined if a promise resolves, or with its error if it rejects. Rejects if the promise does not
 * settle in time.
 */
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
