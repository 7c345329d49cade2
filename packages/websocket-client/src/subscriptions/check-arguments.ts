import { InvalidTopicError, isTopic, mustBeDefinition } from '@orijs/websocket/protocol';
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
		if (options[name] !== undefined) mustBe(type === 'function', name, 'a function', type);
	}
	if (message !== undefined) mustBeDefinition(message);
	whole('rewind', rewind, 100_000);
	whole('buffer', buffer, 1_000_000);
	inRange('timeoutMs', timeoutMs);
	if (signal !== undefined) mustBe(signal instanceof AbortSignal, 'signal', 'an AbortSignal', typeof signal);
}

function whole(name: string, value: number, max: number): void {
	mustBe(Number.isInteger(value) && value >= 1 && value <= max, name, `a whole number from 1 to ${max}`, String(value));
}

function mustBe(isValid: boolean, name: string, allowed: string, actual: string): void {
	if (!isValid) throw new InvalidClientOptionError(`${name} must be ${allowed}, not ${actual}`);
}
