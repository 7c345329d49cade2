import { BrandedError } from './branded-error.ts';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { ErrorCode } from './client-message.ts';
import { cut, escapeText, show } from './show.ts';

/** Thrown if a message definition is invalid: its name is not allowed, or a schema is not a Standard Schema. */
export class InvalidMessageDefinitionError extends BrandedError {
	static override readonly brand: string = 'InvalidMessageDefinitionError';
	declare readonly name: 'InvalidMessageDefinitionError';
	constructor(reason: string) {
		super(`Invalid message definition: ${reason}`);
	}
}

/** One fault in a message's data. */
export interface MessageIssue {
	/** Where the fault is, such as `items.0.price`; empty for the data as a whole. */
	readonly path: string;
	readonly message: string;
}

/** Thrown if data does not match its message's schema. */
export class MessageValidationError extends BrandedError {
	static override readonly brand: string = 'MessageValidationError';
	declare readonly name: 'MessageValidationError';
	/** The message's name. */
	declare readonly messageName: string;
	declare readonly issues: readonly MessageIssue[];
	/** @param part what does not match: the message's data, or the reply to it */
	constructor(messageName: string, issues: readonly StandardSchemaV1.Issue[], part: 'data' | 'reply' = 'data') {
		const listed = issues.map(({ path, message }) => ({ path: path?.map(keyOf).join('.') ?? '', message }));
		const what = part === 'data' ? 'data of' : 'reply to';
		super(`The ${what} ${messageName} does not match its schema: ${reasonsOf(listed)}`);
		this.messageName = messageName;
		this.issues = listed;
	}
}

/** Thrown if a message's data has a value that can't be sent, such as NaN, a Map or an instance of a class. */
export class UnsupportedValueError extends BrandedError {
	static override readonly brand: string = 'UnsupportedValueError';
	declare readonly name: 'UnsupportedValueError';
	/** The message's name. */
	declare readonly messageName: string;
	/** Where the value is and what it is, such as `data.items.3.price is NaN`. */
	declare readonly reason: string;
	constructor(messageName: string, reason: string) {
		super(`The data of ${messageName} can't be sent: ${reason}`);
		this.messageName = messageName;
		this.reason = reason;
	}
}

/** The form of an error code. */
export const ERROR_CODE: RegExp = /^[a-z][a-z0-9_]{0,63}$/;

export function isErrorCode(code: unknown): code is ErrorCode {
	return typeof code === 'string' && ERROR_CODE.test(code);
}

/** Thrown by a handler to answer with an error of its own. The other side receives the code and the text. */
export class SocketError extends BrandedError {
	static override readonly brand: string = 'SocketError';
	declare readonly name: 'SocketError';
	declare readonly code: ErrorCode;
	/**
	 * @param code 1 to 64 characters from `a-z 0-9 _`, beginning with a letter, such as `room_full`
	 * @param message the text, which is sent to the other side unchanged
	 * @throws {TypeError} the code is invalid
	 */
	constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
		if (!isErrorCode(code)) {
			throw new TypeError(`An error code must match ${ERROR_CODE}, not ${show(code)}`);
		}
		super(message, options);
		this.code = code;
	}
}

/** Thrown if a request failed: the other side refused it, or did not answer. */
export class SocketRequestError extends BrandedError {
	static override readonly brand: string = 'SocketRequestError';
	declare readonly name: 'SocketRequestError';
	/** The message's name. */
	declare readonly messageName: string;
	/** The code from the other side, or `timeout`, `disconnected`, `invalid_reply` or `too_many_requests`. */
	declare readonly code: ErrorCode;
	constructor(messageName: string, code: ErrorCode, message: string, options?: ErrorOptions) {
		super(`${messageName} failed: ${message} (${code})`, options);
		this.messageName = messageName;
		this.code = code;
	}
}

/** Limits the number of faults that an error lists, and the length of each, so that no data causes a huge answer. */
const MAX_NAMED = 10;
const LONGEST_REASON = 200;

function reasonsOf(issues: readonly MessageIssue[]): string {
	const left = issues.length - MAX_NAMED;
	// Schemas quote their input, such as the names of unknown keys.
	const reasons = issues
		.slice(0, MAX_NAMED)
		.map(({ path, message }) => cut(path ? `${path}: ${message}` : message, LONGEST_REASON));
	return escapeText(reasons.join('; ')) + (left > 0 ? `; and ${left} more` : '');
}

function keyOf(segment: PropertyKey | StandardSchemaV1.PathSegment): string {
	return String((segment as StandardSchemaV1.PathSegment).key ?? segment);
}
