import { InvalidTopicError, isTopic, mustBeDefinition, show } from '@orijs/websocket/protocol';
import { InvalidClientOptionError } from '../errors.ts';
import { inRange, known } from '../options.ts';
import type { SubscriptionOptions } from './subscription.ts';

const HANDLERS = ['onMessage', 'onGap', 'onRecovered', 'onRefused'] as const;
const OPTIONS = [...HANDLERS, 'message', 'rewind', 'timeoutMs', 'signal', 'buffer'];

/**
 * Validates the arguments of `subscribe()`.
 *
 * @throws {InvalidTopicError}
 * @throws {InvalidClientOptionError} an option is invalid or unknown
 * @throws {InvalidMessageDefinitionError} `message` is not a definition
 */
export function checkArguments(topic: string, options: SubscriptionOptions): void {
	if (!isTopic(topic)) throw new InvalidTopicError(topic);
	const { message, rewind = 1, buffer = 1, timeoutMs = 1, signal } = known(options, 'subscription', OPTIONS);
	for (const name of HANDLERS) {
		const type = typeof options[name];
		if (type !== 'function' && type !== 'undefined')
			throw new InvalidClientOptionError(`${name} must be a function, not ${type}`);
	}
	if (message !== undefined) mustBeDefinition(message);
	mustBeWhole('rewind', rewind, 100_000);
	mustBeWhole('buffer', buffer, 1_000_000);
	inRange('timeoutMs', timeoutMs);
	if (signal !== undefined && !signal?.addEventListener)
		throw new InvalidClientOptionError('signal must be an AbortSignal');
}

function mustBeWhole(name: string, value: number, max: number): void {
	if (!Number.isInteger(value) || value < 1 || value > max)
		throw new InvalidClientOptionError(`${name} must be a whole number from 1 to ${max}, not ${show(value)}`);
}
