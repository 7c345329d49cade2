import { isTopic } from '@orijs/websocket';
import { isPosition, MAX_TOPICS, type TopicRequest } from '@orijs/websocket/protocol';

/** The error message sent to clients whose data is invalid. */
export const TOPICS_RULE: string =
	`data must be { topic } or { topics } with 1 to ${MAX_TOPICS} topics; a topic is 1 to 256 characters from ` +
	'A-Z a-z 0-9 _ : . -; to resume a topic, give { topic, since: { epoch, offset } } or { topic, rewind: 1 to 100,000 }';

const MAX_REWIND = 100_000;

/** Returns the requested topics, without duplicates; undefined if the data is invalid. */
export function readTopicRequests(data: unknown): readonly TopicRequest[] | undefined {
	const { topic, topics } = fieldsOf(data);
	if (topics === undefined) {
		const request = readRequest(data);
		return request === undefined ? undefined : [request];
	}
	if (topic !== undefined || !Array.isArray(topics) || topics.length === 0 || topics.length > MAX_TOPICS)
		return undefined;
	const requests = new Map<string, TopicRequest>();
	for (const each of topics as readonly unknown[]) {
		const request = typeof each === 'string' ? readRequest({ topic: each }) : readRequest(each);
		if (request === undefined) return undefined;
		requests.set(request.topic, request);
	}
	return [...requests.values()];
}

function readRequest(value: unknown): TopicRequest | undefined {
	const { topic, since, rewind } = fieldsOf(value);
	if (!isTopic(topic) || !(since === undefined || isPosition(since))) return undefined;
	// The client's own object is not kept, because it can have further members of any size.
	const position = since === undefined ? undefined : { epoch: since.epoch, offset: since.offset };
	if (rewind === undefined) return { topic, since: position };
	const isCount = Number.isSafeInteger(rewind) && (rewind as number) >= 1 && (rewind as number) <= MAX_REWIND;
	return isCount ? { topic, since: position, rewind: rewind as number } : undefined;
}

function fieldsOf(value: unknown): Record<string, unknown> {
	return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
