import { BuiltIn, type ClientMessage, type ErrorCode, restoreValues } from '@orijs/websocket/protocol';

/** The reason why a text is not a valid message. */
export class MessageFault {
	readonly reason: string;
	/** The type and correlation id, if they could be read, so that a request can be answered. */
	readonly type: string | undefined;
	readonly correlationId: string | undefined;
	readonly code: ErrorCode;

	constructor(reason: string, type?: string, correlationId?: string, code: ErrorCode = 'invalid_message') {
		this.reason = reason;
		this.type = type;
		this.correlationId = correlationId;
		this.code = code;
	}

	/** Whether the text is not a message of this protocol at all, and may be meant for the `message` handler. */
	get isForeign(): boolean {
		return this.type === undefined;
	}
}

const VALUES_RULE =
	'values must list the dates and bytes in data as [kind, ...path], with the kind date (text as toISOString writes it), ' +
	'uint8array or arraybuffer (base64)';

const LONGEST_TYPE = 129;
const LONGEST_CORRELATION_ID = 128;

/**
 * Parses a client's message, and restores the dates and bytes in its data. Besides invalid messages, it rejects keys
 * that would pollute prototypes when data is copied (`__proto__`, and `constructor` with a `prototype` inside), and
 * nesting too deep for recursive handling.
 */
export function readMessage(text: string, maxDepth: number): ClientMessage | MessageFault {
	let parsed: unknown;
	try {
		parsed = JSON.parse(text);
	} catch {
		return new MessageFault('not valid JSON');
	}
	if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
		return new MessageFault('not a JSON object');
	const { type, data, correlationId } = parsed as Partial<Record<keyof ClientMessage, unknown>>;
	const isId =
		typeof correlationId === 'string' && correlationId !== '' && correlationId.length <= LONGEST_CORRELATION_ID;
	const id = isId ? correlationId : undefined;
	if (typeof type !== 'string' || type === '')
		return new MessageFault('type must be a non-empty string', undefined, id);
	if (type.length > LONGEST_TYPE) return new MessageFault(`type must be at most ${LONGEST_TYPE} characters`, '', id);
	if (!isId && correlationId !== undefined && correlationId !== null) {
		return new MessageFault(`correlationId must be a string of 1 to ${LONGEST_CORRELATION_ID} characters`, type);
	}
	if (correlationId === null) (parsed as { correlationId: unknown }).correlationId = undefined;
	let bad = typeof data === 'object' && data !== null ? faultOf(data, maxDepth) : undefined;
	// A reply can have an `error` besides its `data`. Other fields are ignored, so they are not checked.
	if (type === BuiltIn.reply) bad ??= faultOf(parsed, maxDepth + 1);
	if (bad !== undefined) return new MessageFault(bad, type, id);
	try {
		restoreValues(parsed);
	} catch {
		return new MessageFault(VALUES_RULE, type, id, 'invalid_data');
	}
	return parsed as ClientMessage;
}

/** Returns why a parsed JSON value is rejected; undefined if it is fine. */
function faultOf(value: object, depth: number): string | undefined {
	if (depth === 0) return 'nested too deeply';
	if (Array.isArray(value)) {
		for (const item of value as unknown[]) {
			if (typeof item !== 'object' || item === null) continue;
			const bad = faultOf(item, depth - 1);
			if (bad !== undefined) return bad;
		}
		return undefined;
	}
	for (const key in value) {
		if (key === '__proto__') return 'key __proto__ is not allowed';
		const item = (value as Record<string, unknown>)[key];
		if (typeof item !== 'object' || item === null) continue;
		if (key === 'constructor' && Object.hasOwn(item, 'prototype')) return 'key constructor.prototype is not allowed';
		const bad = faultOf(item, depth - 1);
		if (bad !== undefined) return bad;
	}
	return undefined;
}
