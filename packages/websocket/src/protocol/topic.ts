import { BrandedError } from './branded-error.ts';
import { show } from './show.ts';

const TOPIC = /^[A-Za-z0-9_:.-]{1,256}$/;

/** Returns whether a value is a valid topic: 1 to 256 characters from `A-Z a-z 0-9 _ : . -`. */
export function isTopic(value: unknown): value is string {
	return typeof value === 'string' && TOPIC.test(value);
}

/** An invalid topic. Allowed: 1 to 256 characters from `A-Z a-z 0-9 _ : . -`. */
export class InvalidTopicError extends BrandedError {
	static override readonly brand: string = 'InvalidTopicError';
	declare readonly name: 'InvalidTopicError';
	readonly topic: unknown;
	constructor(topic: unknown) {
		super(`Invalid topic ${show(topic)}: a topic is 1 to 256 characters from A-Z a-z 0-9 _ : . -`);
		this.topic = topic;
	}
}
