import { MOST_TOPICS, type TopicRequest } from '@orijs/websocket/protocol';

/** How long the topics of one message may be together, in characters: servers bound a message's size, and end connections that exceed it. */
const MOST_CHARACTERS = 2_000;

/** What a position takes. */
const POSITION_CHARACTERS = 80;

/** Topics as they go into messages: as many as may in each. */
export function* batches(requests: readonly TopicRequest[]): Generator<TopicRequest[]> {
	let batch: TopicRequest[] = [];
	let characters = 0;
	for (const request of requests) {
		const length = request.topic.length + (request.since === undefined ? 0 : POSITION_CHARACTERS);
		characters += length;
		if (batch.length > 0 && (batch.length === MOST_TOPICS || characters > MOST_CHARACTERS)) {
			yield batch;
			batch = [];
			characters = length;
		}
		batch.push(request);
	}
	if (batch.length > 0) yield batch;
}
