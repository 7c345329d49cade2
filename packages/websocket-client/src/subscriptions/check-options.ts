import { InvalidClientOptionError } from '../errors.ts';
import { delay, known } from '../options.ts';
import { mustBeDefinition } from '../support/must-be-definition.ts';
import type { SubscriptionOptions } from './subscription.ts';

const HANDLERS = ['onMessage', 'onGap', 'onRecovered', 'onRefused'] as const;
const OPTIONS = [...HANDLERS, 'message', 'rewind', 'timeoutMs', 'signal', 'buffer'];

/**
 * Validates the options of a subscription.
 *
 * @throws {InvalidClientOptionError} an option is invalid or unknown
 * @throws {InvalidMessageDefinitionError} `message` is not a definition
 */
export function checkOptions(options: SubscriptionOptions): void {
	const { message, rewind = 1, buffer = 1, timeoutMs = 1, signal } = known(options, 'subscription', OPTIONS);
	for (const name of HANDLERS) {
		const handler: unknown = options[name];
		if (handler !== undefined && typeof handler !== 'function')
			throw new InvalidClientOptionError(`${name} must be a function, not ${typeof handler}`);
	}
	if (message !== undefined) mustBeDefinition(message);
	whole('rewind', rewind, 100_000);
	whole('buffer', buffer, 1_000_000);
	delay('timeoutMs', timeoutMs);
	if (signal !== undefined && typeof signal?.addEventListener !== 'function')
		throw new InvalidClientOptionError('signal must be an AbortSignal');
}

function whole(name: string, value: number, max: number): void {
	if (!(Number.isSafeInteger(value) && value >= 1 && value <= max))
		throw new InvalidClientOptionError(`${name} must be a whole number from 1 to ${max}, not ${String(value)}`);
}
