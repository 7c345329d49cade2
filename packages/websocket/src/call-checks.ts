import {
	ExceptWithHistoryError,
	InvalidExceptError,
	InvalidIdempotencyKeyError,
	InvalidNodeIdError,
	InvalidOptionError,
	InvalidPayloadError,
	InvalidPositionError,
	InvalidSocketIdError,
	MAX_EXCEPT,
	NoHistoryError,
	UnknownSocketError,
} from './errors.ts';
import type { ResumeFrom } from './history/catch-up.ts';
import { MAX_PAGE } from './protocol/built-in.ts';
import { ERROR_CODE, isErrorCode } from './protocol/errors.ts';
import { isPosition } from './protocol/position.ts';
import { unknownOption } from './support/unknown-option.ts';
import { show } from './support/show.ts';
import { InvalidTopicError, isTopic } from './protocol/topic.ts';
import type { HistoryPageOptions, PublishOptions, SubscribeOptions, UnsubscribeOptions } from './provider-contract.ts';
import { isSocketId, NODE_TEXT_PREFIX } from './wire/channel-names.ts';
import { isPayload } from './wire/payload.ts';

// Each check returns the error with which to reject a call, or undefined if the arguments are valid.

const MAX_REWIND = 100_000;
const MAX_KEY_LENGTH = 256;

export function checkTopic(topic: unknown): Error | undefined {
	return isTopic(topic) ? undefined : new InvalidTopicError(topic);
}

export function checkSubscribe(topic: unknown, options: SubscribeOptions | undefined): Error | undefined {
	if (!isTopic(topic)) return new InvalidTopicError(topic);
	if (options === undefined) return undefined;
	const error = checkOptions('subscribe()', options, ['by', 'past']) ?? checkBy('subscribe()', options.by);
	if (error !== undefined || options.past === undefined || typeof options.past === 'boolean') return error;
	return new InvalidOptionError(`past of subscribe() must be true or false, not ${show(options.past)}`);
}

export function checkUnsubscribe(topic: unknown, options: UnsubscribeOptions | undefined): Error | undefined {
	if (!isTopic(topic)) return new InvalidTopicError(topic);
	if (options === undefined) return undefined;
	const { by, code, message } = options ?? {};
	const error = checkOptions('unsubscribe()', options, ['by', 'code', 'message']) ?? checkBy('unsubscribe()', by);
	if (error !== undefined) return error;
	if (code !== undefined && !isErrorCode(code))
		return new InvalidOptionError(`code of unsubscribe() must match ${ERROR_CODE}, not ${show(code)}`);
	if (message === undefined || typeof message === 'string') return undefined;
	return new InvalidOptionError(`message of unsubscribe() must be a string, not ${show(message)}`);
}

function checkBy(call: string, by: unknown): Error | undefined {
	if (by === undefined || by === 'server' || by === 'client') return undefined;
	return new InvalidOptionError(`by of ${call} must be 'server' or 'client', not ${show(by)}`);
}

export function checkPublish(topic: unknown, payload: unknown): Error | undefined {
	if (!isTopic(topic)) return new InvalidTopicError(topic);
	return isPayload(payload) ? undefined : new InvalidPayloadError(payload);
}

export function checkPublishOptions(options: PublishOptions, topic: string, hasHistory: boolean): Error | undefined {
	const error = checkOptions('publish()', options, ['idempotencyKey', 'except']);
	if (error !== undefined) return error;
	const { idempotencyKey: key, except } = options;
	if (except !== undefined) {
		const fault = checkExcept(except) ?? (hasHistory ? new ExceptWithHistoryError(topic) : undefined);
		if (fault !== undefined) return fault;
	}
	if (key === undefined) return undefined;
	if (!isIdempotencyKey(key)) return new InvalidIdempotencyKeyError(key);
	return hasHistory ? undefined : new NoHistoryError(topic, 'an idempotencyKey');
}

export function checkExcept(except: unknown): Error | undefined {
	if (typeof except === 'string' && except !== 'self') return checkSocketId(except);
	if (!Array.isArray(except) || except.length > MAX_EXCEPT) return new InvalidExceptError(except);
	for (const socketId of except) {
		const error = checkSocketId(socketId);
		if (error !== undefined) return error;
	}
	return undefined;
}

function checkSocketId(socketId: unknown): Error | undefined {
	return isSocketId(socketId) ? undefined : new InvalidSocketIdError(socketId);
}

export function checkSend(socketId: unknown, payload: unknown): Error | undefined {
	if (!isSocketId(socketId)) return new InvalidSocketIdError(socketId);
	return isPayload(payload) ? undefined : new InvalidPayloadError(payload);
}

export function checkNode(nodeId: unknown): Error | undefined {
	return isSocketId(nodeId) ? undefined : new InvalidNodeIdError(nodeId);
}

export function checkSendToNode(nodeId: unknown, text: unknown): Error | undefined {
	return checkNode(nodeId) ?? checkNodeText('sendToNode()', text);
}

export function checkSendToNodeOf(socketId: unknown, text: unknown): Error | undefined {
	return checkSocketId(socketId) ?? checkNodeText('sendToNodeOf()', text);
}

function checkNodeText(call: string, text: unknown): Error | undefined {
	if (typeof text !== 'string') return new InvalidPayloadError(text);
	if (!text.startsWith(NODE_TEXT_PREFIX)) return undefined;
	return new InvalidOptionError(`a text of ${call} must not begin with ${NODE_TEXT_PREFIX}, as the provider's own do`);
}

export function checkHistory(topic: unknown, options: HistoryPageOptions | undefined): Error | undefined {
	if (!isTopic(topic)) return new InvalidTopicError(topic);
	const error = checkOptions('history()', options, ['since', 'before', 'upTo', 'limit']);
	if (error !== undefined || options === undefined) return error;
	const { since, before, upTo, limit } = options;
	if ([since, before, upTo].filter((position) => position !== undefined).length > 1)
		return new InvalidOptionError('history() takes only one of since, before and upTo');
	return (
		checkPosition('since', since) ??
		checkPosition('before', before) ??
		checkPosition('upTo', upTo) ??
		checkCount('limit', limit, MAX_PAGE)
	);
}

export function checkResume(topic: unknown, from: ResumeFrom): Error | undefined {
	if (!isTopic(topic)) return new InvalidTopicError(topic);
	const names = ['since', 'rewind', 'isEntitled'];
	// Unlike options, `from` is required.
	const error = from === undefined ? notOptions('resume()', from, names) : checkOptions('resume()', from, names);
	if (error !== undefined) return error;
	const { since, rewind, isEntitled } = from;
	if (isEntitled !== undefined && typeof isEntitled !== 'boolean')
		return new InvalidOptionError(`isEntitled of resume() must be true or false, not ${show(isEntitled)}`);
	return checkPosition('since', since) ?? checkCount('rewind', rewind, MAX_REWIND);
}

/** Checks the names of the options of `owner`. @throws {InvalidOptionError} an option is unknown */
export function checkOptionNames(owner: string, options: unknown, known: Readonly<Record<string, true>>): void {
	const problem = unknownOption(owner, options, known);
	if (problem !== undefined) throw new InvalidOptionError(problem);
}

/** Checks the listener that `call` was given. @throws {InvalidOptionError} it is not a function */
export function checkListener(call: string, listener: unknown): void {
	if (typeof listener !== 'function') throw new InvalidOptionError(`${call} takes a function, not ${show(listener)}`);
}

/** Returns the error for a socket that is not connected to this node. */
export function unknownSocket(socketId: string): Error {
	return isSocketId(socketId) ? new UnknownSocketError(socketId) : new InvalidSocketIdError(socketId);
}

/** Checks an object of options. Unknown options are errors, so that a mistyped name is not silently ignored. */
export function checkOptions(call: string, options: unknown, known: readonly string[]): Error | undefined {
	if (options === undefined) return undefined;
	if (typeof options !== 'object' || options === null || Array.isArray(options))
		return notOptions(call, options, known);
	const unknown = Object.keys(options).find((key) => !known.includes(key));
	if (unknown === undefined) return undefined;
	return new InvalidOptionError(`${call} has no option ${unknown}, only ${listOf(known, 'and')}`);
}

function notOptions(call: string, given: unknown, known: readonly string[]): Error {
	return new InvalidOptionError(`${call} takes an object with ${listOf(known, 'or')}, not ${show(given)}`);
}

function listOf(names: readonly string[], conjunction: 'and' | 'or'): string {
	return names.join(', ').replace(/, ([^,]*)$/, ` ${conjunction} $1`);
}

function checkPosition(name: string, value: unknown): Error | undefined {
	if (value === undefined || isPosition(value)) return undefined;
	const source = 'as found in a message, a history page or client.positions';
	if (typeof value !== 'object' || value === null)
		return new InvalidPositionError(name, value, `a position is { epoch, offset }, ${source}`);
	const { epoch, offset } = value as { epoch?: unknown; offset?: unknown };
	if (isPosition({ epoch, offset: 0 }))
		return new InvalidPositionError(`${name}.offset`, offset, 'expected a whole number, 0 or more');
	return new InvalidPositionError(`${name}.epoch`, epoch, `expected a string, ${source}`);
}

function checkCount(name: string, value: unknown, max: number): Error | undefined {
	if (value === undefined) return undefined;
	if (Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= max) return undefined;
	return new InvalidPositionError(name, value, `expected a whole number from 1 to ${max}`);
}

function isIdempotencyKey(key: unknown): key is string {
	// A lone surrogate can't be encoded as UTF-8, so different keys could become the same key on a server.
	return typeof key === 'string' && key.length >= 1 && key.length <= MAX_KEY_LENGTH && key.isWellFormed();
}
