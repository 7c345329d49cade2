import { MOST_TOPICS } from '@orijs/websocket/protocol';

/** How long the topics of one message may be together, in characters: servers bound a message's size, and end connections that exceed it. */
const MOST_CHARACTERS = 2_000;

/** Topics as they go into messages: as many as may in each. */
export function* batches(topics: readonly string[]): Generator<string[]> {
	let batch: string[] = [];
	let characters = 0;
	for (const topic of topics) {
		characters += topic.length;
		if (batch.length > 0 && (batch.length === MOST_TOPICS || characters > MOST_CHARACTERS)) {
			yield batch;
			batch = [];
			characters = topic.length;
		}
		batch.push(topic);
	}
	if (batch.length > 0) yield batch;
}
