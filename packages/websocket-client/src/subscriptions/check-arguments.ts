import { InvalidTopicError, isTopic, mustBeDefinition } from '@orijs/websocket/protocol';
import { checked } from '../options.ts';
import type { SubscriptionOptions } from './subscription.ts';

/**
 * Validates the arguments of `subscribe()`, and fills in defaults.
 *
 * @throws {InvalidTopicError}
 * @throws {InvalidClientOptionError} an option is invalid or unknown
 * @throws {InvalidMessageDefinitionError} `message` is not a definition
 */
export function checkArguments(topic: string, options: SubscriptionOptions): SubscriptionOptions {
	if (!isTopic(topic)) throw new InvalidTopicError(topic);
	const all = checked('subscription', options, {
		onMessage: undefined,
		onGap: undefined,
		onRecovered: undefined,
		onRefused: undefined,
		onUnsubscribed: undefined,
		message: undefined,
		rewind: undefined,
		timeoutMs: undefined,
		signal: undefined,
		buffer: 1_000,
	});
	if (all.message !== undefined) mustBeDefinition(all.message);
	return all;
}
