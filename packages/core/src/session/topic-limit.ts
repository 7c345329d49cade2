import type { AllLimits } from '../limits.ts';

/** Whether subscribing to a topic would exceed the limit of a socket that is subscribed to `topics`. */
export function exceedsTopicLimit(
	topics: ReadonlySet<string>,
	topic: string,
	{ topicsPerSocket }: Pick<AllLimits, 'topicsPerSocket'>,
): boolean {
	return topics.size >= topicsPerSocket && !topics.has(topic);
}
