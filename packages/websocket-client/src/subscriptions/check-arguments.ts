import { InvalidTopicError, isTopic, mustBeDefinition } from '@orijs/websocket/protocol';
import { checked, FUNCTION, MS, SIGNAL, whole } from '../options.ts';
import type { SubscriptionOptions } from './subscription.ts';

/**
 * Validates the arguments of `subscribe()`.
 *
 * @throws {InvalidTopicError}
 * @throws {InvalidClientOptionError} an option is invalid or unknown
 * @throws {InvalidMessageDefinitionError} `message` is not a definition
 */
export function checkArguments(topic: string, options: SubscriptionOptions): void {
	if (!isTopic(topic)) throw new InvalidTopicError(topic);
	checked('subscription', options, {
		onMessage: FUNCTION,
		onGap: FUNCTION,
		onRecovered: FUNCTION,
		onRefused: FUNCTION,
		message: ['', mustBeDefinition],
		rewind: whole(1, 100_000),
		timeoutMs: MS,
		signal: SIGNAL,
		buffer: whole(1, 1_000_000),
	});
}
