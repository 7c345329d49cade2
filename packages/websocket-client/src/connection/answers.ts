import {
	type AuthAnswer,
	BuiltIn,
	type PingAnswer,
	type PresenceNotice,
	type PresenceVersion,
	type RequestFault,
	SocketRequestError,
	type TopicsAnswer,
	type WatchAnswer,
} from '@orijs/websocket/protocol';

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

/** @throws {SocketRequestError} it is no answer to `@watch` */
export function asMembers(answer: unknown): WatchAnswer {
	if (isPresence(answer)) return answer as WatchAnswer;
	throw new SocketRequestError(BuiltIn.watch, 'internal', 'the answer is invalid');
}

export function isPresenceNotice(value: unknown): value is PresenceNotice {
	return isPresence(value) && isVersion((value as Unchecked<PresenceNotice>)?.previous);
}

/** Returns whether a value has what answers to `@watch` and `@presence` have in common. */
function isPresence(value: unknown): boolean {
	const { version, count, members, joined, updated, left } = (value ?? {}) as Unchecked<WatchAnswer & PresenceNotice> &
		object;
	return (
		isVersion(version) &&
		typeof count === 'number' &&
		[members, joined, updated].every((list) => areAll(list, (one) => typeof one?.key === 'string')) &&
		areAll(left, (key) => typeof key === 'string')
	);
}

function isVersion(value: unknown): boolean {
	const { epoch, n } = (value ?? {}) as Unchecked<PresenceVersion> & object;
	return typeof epoch === 'string' && typeof n === 'number';
}

function areAll(list: unknown, isValid: (one: any) => boolean): boolean {
	return list === undefined || (Array.isArray(list) && list.every(isValid));
}
