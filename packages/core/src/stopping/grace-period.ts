import { show } from '@orijs/websocket/internal';
import { ApplicationError } from '../errors.ts';
import { MAX_DELAY_MS } from '../limits.ts';
import { checkOptions } from '../support/check-options.ts';

/** The default of `graceMs`, in milliseconds. */
export const DEFAULT_GRACE_MS = 10_000;

/** Validates the options of an endpoint's `stop`. @throws {ApplicationError} an option is unknown or invalid */
export function readGraceMs(options: { readonly graceMs?: number }): number {
	checkOptions('stop()', options, ['graceMs']);
	const { graceMs = DEFAULT_GRACE_MS } = options;
	const fault = delayFault('graceMs', graceMs);
	if (fault !== undefined) throw new ApplicationError(`stop(): ${fault}`);
	return graceMs;
}

/** Returns why a delay is invalid; undefined if it is valid. */
export function delayFault(name: string, ms: unknown): string | undefined {
	if (typeof ms === 'number' && ms >= 0 && ms <= MAX_DELAY_MS) return undefined;
	return `${name} must be a number of milliseconds from 0 to ${MAX_DELAY_MS}, not ${show(ms)}`;
}
