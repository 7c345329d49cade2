import { isTopic, MAX_KEY_BYTES } from '@orijs/websocket';
import type { UnwatchRequest, UpdateRequest, WatchRequest } from '@orijs/websocket/protocol';

const TOPIC_RULE = 'a topic is 1 to 256 characters from A-Z a-z 0-9 _ : . -';

// The error messages sent to clients whose data is invalid.
export const WATCH_RULE: string =
	'data must be { topic }, { topic, isCountOnly: true }, or { topic, after } with the key of a member; ' + TOPIC_RULE;
export const UNWATCH_RULE: string = `data must be { topic }; ${TOPIC_RULE}`;
export const UPDATE_RULE: string = `data must be { topic, info } with an object as info; ${TOPIC_RULE}`;

// Each returns the request; undefined if the data is invalid. Nothing else of a client's message is kept.

export function readWatchRequest(data: unknown): WatchRequest | undefined {
	const { topic, after, isCountOnly } = fieldsOf(data);
	if (!isTopic(topic) || (isCountOnly !== undefined && typeof isCountOnly !== 'boolean')) return undefined;
	if (after === undefined) return isCountOnly === true ? { topic, isCountOnly } : { topic };
	return typeof after === 'string' && after.length <= MAX_KEY_BYTES ? { topic, after } : undefined;
}

export function readUnwatchRequest(data: unknown): UnwatchRequest | undefined {
	const { topic } = fieldsOf(data);
	return isTopic(topic) ? { topic } : undefined;
}

export function readUpdateRequest(data: unknown): UpdateRequest | undefined {
	const { topic, info } = fieldsOf(data);
	return isTopic(topic) && isPlainObject(info) ? { topic, info } : undefined;
}

function fieldsOf(value: unknown): Record<string, unknown> {
	return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** Not so are arrays, and the dates and bytes that a message can carry. */
function isPlainObject(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
