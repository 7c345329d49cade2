import type { SocketData, SubscribeOptions, WebSocketProvider } from '@orijs/websocket';
import { rejected } from '@orijs/websocket/internal';
import { TooManyTopicsError } from '../errors.ts';
import type { AllLimits } from '../limits.ts';
import type { Refusals } from '../refusals.ts';
import { exceedsTopicLimit } from './topic-limit.ts';

/** What the server's own subscribing of sockets needs. */
export interface SubscribingServices {
	readonly provider: WebSocketProvider;
	readonly limits: Pick<AllLimits, 'topicsPerSocket'>;
	readonly refusals: Refusals;
}

/** Subscribes a socket for the server. Rejects with a {@link TooManyTopicsError} above the limit. */
export function subscribeOwnSocket(
	{ provider, limits, refusals }: SubscribingServices,
	{ socketId, topics }: SocketData,
	topic: string,
	options?: SubscribeOptions,
): Promise<void> {
	if (!exceedsTopicLimit(topics, topic, limits)) return provider.subscribe(socketId, topic, options);
	refusals.add('topics', { socketId, topic });
	return rejected(new TooManyTopicsError(topic, limits.topicsPerSocket));
}
