import type { AuthAnswer, PingAnswer, RequestFault, TopicsAnswer } from '@orijs/websocket/protocol';

// Answers are checked because the server may not speak this protocol. It could, for example, echo the client's
// requests.

export function isAuthAnswer(answer: unknown): answer is AuthAnswer {
	const { socketId, timestamp } = fieldsOf<AuthAnswer>(answer);
	return typeof socketId === 'string' && typeof timestamp === 'number';
}

export function isPingAnswer(answer: unknown): answer is PingAnswer {
	return typeof fieldsOf<PingAnswer>(answer).timestamp === 'number';
}

export function isTopicsAnswer(answer: unknown): answer is TopicsAnswer {
	const { timestamp, refused = [] } = fieldsOf<TopicsAnswer>(answer);
	return typeof timestamp === 'number' && Array.isArray(refused) && refused.every(isFault);
}

export function isFault(value: unknown): value is RequestFault {
	return typeof fieldsOf<RequestFault>(value).code === 'string';
}

/** Returns the value for reading its fields. */
export function fieldsOf<T>(value: unknown): { readonly [K in keyof T]?: unknown } {
	return value ?? {};
}
