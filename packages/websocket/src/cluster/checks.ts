import { checkExcept, checkOptions } from '../call-checks.ts';
import { InvalidOptionError } from '../errors.ts';
import { ERROR_CODE, isErrorCode } from '../protocol/errors.ts';
import { show } from '../support/show.ts';
import { MAX_TIMEOUT_MS } from './ask.ts';
import type { ActionOptions } from './cluster-contract.ts';

// Each check returns the error with which to reject a call, or undefined if the arguments are valid.

export const DEFAULT_TIMEOUT_MS = 5_000;

/** Checks the names of the options of a call, and the options that all actions have. */
export function checkAction(
	call: string,
	options: ActionOptions | undefined,
	names: readonly string[],
): Error | undefined {
	if (options === undefined) return undefined;
	const error = checkOptions(call, options, [...names, 'timeoutMs', 'except']) ?? checkTimeout(call, options.timeoutMs);
	return error ?? (options.except === undefined ? undefined : checkExcept(options.except));
}

/** Checks the names of the options of a call that is not about sockets, and its time limit. */
export function checkAsking(call: string, options: unknown, names: readonly string[]): Error | undefined {
	if (options === undefined) return undefined;
	const error = checkOptions(call, options, [...names, 'timeoutMs']);
	return error ?? checkTimeout(call, (options as ActionOptions).timeoutMs);
}

function checkTimeout(call: string, ms: unknown): Error | undefined {
	return checkNumber(`timeoutMs of ${call}`, ms, MAX_TIMEOUT_MS);
}

/** Checks an optional whole number from 1. */
export function checkNumber(name: string, value: unknown, max: number): Error | undefined {
	if (value === undefined) return undefined;
	if (Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= max) return undefined;
	return new InvalidOptionError(`${name} must be a whole number from 1 to ${max}, not ${show(value)}`);
}

/** Checks the code and the text for clients. */
export function checkReason(
	call: string,
	{ code, message }: { readonly code?: unknown; readonly message?: unknown },
): Error | undefined {
	if (code !== undefined && !isErrorCode(code))
		return new InvalidOptionError(`code of ${call} must match ${ERROR_CODE}, not ${show(code)}`);
	if (message === undefined || typeof message === 'string') return undefined;
	return new InvalidOptionError(`message of ${call} must be a string, not ${show(message)}`);
}

export function checkFlag(name: string, value: unknown): Error | undefined {
	if (value === undefined || typeof value === 'boolean') return undefined;
	return new InvalidOptionError(`${name} must be true or false, not ${show(value)}`);
}
