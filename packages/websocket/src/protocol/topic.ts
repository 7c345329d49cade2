import { show } from './show.ts';

const TOPIC = /^[A-Za-z0-9_:.-]{1,256}$/;

/** Whether a topic is one: 1 to 256 characters out of `A-Z a-z 0-9 _ : . -`. */
export function isTopic(value: unknown): value is string {
	return typeof value === 'string' && TOPIC.test(value);
}

/** A topic that is not one. Allowed: 1 to 256 characters out of `A-Z a-z 0-9 _ : . -`. */
export class InvalidTopicError extends Error {
	override readonly name = 'InvalidTopicError';
	readonly topic: unknown;
	constructor(topic: unknown) {
		super(`Invalid topic ${show(topic)}: a topic is 1 to 256 characters out of A-Z a-z 0-9 _ : . -`);
		this.topic = topic;
	}
}
