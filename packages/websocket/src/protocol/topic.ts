import { BrandedError } from './branded-error.ts';
import { show } from './show.ts';

const TOPIC = /^[\w:.-]{1,256}$/;

/** Returns whether a value is a valid topic: 1 to 256 characters from `A-Z a-z 0-9 _ : . -`. */
export function isTopic(value: unknown): value is string {
	return typeof value === 'string' && TOPIC.test(value);
}

/** Thrown if a topic is invalid. Allowed are 1 to 256 characters from `A-Z a-z 0-9 _ : . -`. */
export class InvalidTopicError extends BrandedError {
	static override readonly brand: string = 'InvalidTopicError';
	declare readonly name: 'InvalidTopicError';
	declare readonly topic: unknown;
	constructor(topic: unknown) {
		super(`Invalid topic ${show(topic)}: it must match ${TOPIC}`);
		this.topic = topic;
	}
}
