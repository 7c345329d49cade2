import { strict as assert } from 'node:assert';
import { type ClientState, type SocketClient, SocketRequestError } from '../index.ts';

/** Waits for a condition. @throws {Error} it does not become true in time */
export async function eventually(
	condition: () => boolean | Promise<boolean>,
	what: string,
	timeoutMs = 5_000,
): Promise<void> {
	const end = performance.now() + timeoutMs;
	while (!(await condition())) {
		if (performance.now() > end) throw new Error(`condition not met within ${timeoutMs} ms: ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
}

export function untilState(client: SocketClient, state: ClientState): Promise<void> {
	return eventually(() => client.state === state, `the client is ${state}, and not ${client.state}`);
}

/** Resolves with the error of a promise that is expected to reject. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { readonly code?: unknown }> {
	try {
		await promise;
	} catch (error) {
		return error as Error;
	}
	throw new Error('the promise did not reject');
}

/** Resolves with whether a promise has settled. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
	let settled = false;
	const settle = (): void => void (settled = true);
	promise.then(settle, settle);
	await new Promise((resolve) => setTimeout(resolve, 0));
	return settled;
}

export function assertRefused(error: Error, code: string): void {
	assert.ok(error instanceof SocketRequestError, String(error));
	assert.equal(error.code, code);
}
