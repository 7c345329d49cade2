import { MAX_TOPICS, type TopicRequest } from '@orijs/websocket/protocol';

/**
 * The maximum total length of the topics in one message, in characters. Servers close connections that send too large a
 * message.
 */
const MAX_CHARACTERS = 2_000;

/** The approximate size of a position, in characters. */
const POSITION_CHARACTERS = 80;

/** Splits requests into as few messages as possible. */
export function* batches(requests: readonly TopicRequest[]): Generator<TopicRequest[]> {
	let batch: TopicRequest[] = [];
	let characters = 0;
	for (const request of requests) {
		const length = request.topic.length + (request.since === undefined ? 0 : POSITION_CHARACTERS);
		characters += length;
		if (batch.length > 0 && (batch.length === MAX_TOPICS || characters > MAX_CHARACTERS)) {
			yield batch;
			batch = [];
			characters = length;
		}
		batch.push(request);
	}
	if (batch.length > 0) yield batch;
}
