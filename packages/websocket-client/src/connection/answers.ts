import type { AuthAnswer, PingAnswer, RequestFault, TopicsAnswer } from '@orijs/websocket/protocol';

// Answers are checked because the server may not speak this protocol. It could, for example, echo the client's
// requests.

/** What is known of a JSON value before it has been checked. */
type Unchecked<T> = { readonly [K in keyof T]?: unknown } | null | undefined;

export function isAuthAnswer(answer: unknown): answer is AuthAnswer {
	return isPingAnswer(answer) && typeof (answer as Unchecked<AuthAnswer>)?.socketId === 'string';
}

export function isPingAnswer(answer: unknown): answer is PingAnswer {
	return typeof (answer as Unchecked<PingAnswer>)?.timestamp === 'number';
}

export function isTopicsAnswer(answer: unknown): answer is TopicsAnswer {
	if (!isPingAnswer(answer)) return false;
	const { refused = [] } = answer as Unchecked<TopicsAnswer> & object;
	return Array.isArray(refused) && refused.every(isFault);
}

export function isFault(value: unknown): value is RequestFault {
	return typeof (value as Unchecked<RequestFault>)?.code === 'string';
}
