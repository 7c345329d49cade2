import { InvalidTopicError, isTopic, mustBeDefinition } from '@orijs/websocket/protocol';
import { inRange, known, mustBe } from '../options.ts';
import type { SubscriptionOptions } from './subscription.ts';

const OPTIONS = [
	'onMessage',
	'onGap',
	'onRecovered',
	'onRefused',
	'message',
	'rewind',
	'timeoutMs',
	'signal',
	'buffer',
];

/**
 * Validates the arguments of `subscribe()`.
 *
 * @throws {InvalidTopicError}
 * @throws {InvalidClientOptionError} an option is invalid or unknown
 * @throws {InvalidMessageDefinitionError} `message` is not a definition
 */
export function checkArguments(topic: string, options: SubscriptionOptions): void {
	if (!isTopic(topic)) throw new InvalidTopicError(topic);
	const { message, rewind = 1, buffer = 1, timeoutMs = 1 } = known(options, 'subscription', OPTIONS);
	if (message !== undefined) mustBeDefinition(message);
	mustBeWhole('rewind', rewind, 100_000);
	mustBeWhole('buffer', buffer, 1_000_000);
	inRange('timeoutMs', timeoutMs);
}

function mustBeWhole(name: string, value: number, max: number): void {
	if (!Number.isInteger(value) || value < 1 || value > max)
		throw mustBe(name, `a whole number from 1 to ${max}`, value);
}
