import { settledWithin, sleep, within } from '../support/promises.ts';

const POLL_MS = 5;

/** Polls until a condition holds. If that takes too long, rejects with what `failure` returns as the message. */
export async function until(condition: () => boolean, timeoutMs: number, failure: () => string): Promise<void> {
	const deadline = performance.now() + timeoutMs;
	while (!condition()) {
		if (performance.now() > deadline) throw new Error(failure());
		await sleep(POLL_MS);
	}
}

/** As {@link until}, and attempts something again and again meanwhile. */
export async function attemptUntil(
	attempt: () => Promise<unknown>,
	condition: () => boolean,
	timeoutMs: number,
	failure: () => string,
): Promise<void> {
	const deadline = performance.now() + timeoutMs;
	while (!condition()) {
		if (performance.now() > deadline) throw new Error(failure());
		// An attempt that fails is repeated; one that hangs ends with the time.
		await settledWithin(deadline - performance.now(), attempt());
		await sleep(POLL_MS);
	}
}

/** Resolves with undefined, or with what a promise rejected with. Rejects if it does not settle in time. */
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
