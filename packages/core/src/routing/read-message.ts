import { BuiltIn, type ClientMessage } from '@orijs/websocket/protocol';

/** Why a text is no message. */
export class MessageFault {
	readonly reason: string;
	/** As far as they could be made out, so that a request can be answered. */
	readonly type: string | undefined;
	readonly correlationId: string | undefined;

	constructor(reason: string, type?: string, correlationId?: string) {
		this.reason = reason;
		this.type = type;
		this.correlationId = correlationId;
	}

	/** It is no message of this protocol at all, and so may be meant for somebody else. */
	get isForeign(): boolean {
		return this.type === undefined;
	}
}

const LONGEST_TYPE = 129;
const LONGEST_CORRELATION_ID = 128;

/**
 * Reads what a client says. Refused besides what is no message are keys that poison objects into which data is copied later
 * (`__proto__`, and `constructor` with a `prototype` in it), and what is nested too deep for those who handle it recursively.
 */
export function readMessage(text: string, maxDepth: number): ClientMessage | MessageFault {
	let parsed: unknown;
	try {
		parsed = JSON.parse(text);
	} catch {
		return new MessageFault('it is not JSON');
	}
	if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
		return new MessageFault('it is no JSON object');
	const { type, data, correlationId } = parsed as Partial<Record<keyof ClientMessage, unknown>>;
	const isId =
		typeof correlationId === 'string' && correlationId !== '' && correlationId.length <= LONGEST_CORRELATION_ID;
	const id = isId ? correlationId : undefined;
	if (typeof type !== 'string' || type === '') return new MessageFault('its type is no text', undefined, id);
	if (type.length > LONGEST_TYPE) return new MessageFault('its type is too long', '', id);
	if (!isId && correlationId !== undefined && correlationId !== null) {
		return new MessageFault(`its correlationId is no text of 1 to ${LONGEST_CORRELATION_ID} characters`, type);
	}
	if (correlationId === null) (parsed as { correlationId: unknown }).correlationId = undefined;
	let bad = typeof data === 'object' && data !== null ? faultOf(data, maxDepth) : undefined;
	// An answer has an `error` beside its `data`. All other fields are nobody's.
	if (type === BuiltIn.reply) bad ??= faultOf(parsed, maxDepth + 1);
	return bad === undefined ? (parsed as ClientMessage) : new MessageFault(bad, type, id);
}

/** What is wrong with a value, which came from JSON. */
function faultOf(value: object, depth: number): string | undefined {
	if (depth === 0) return 'it is nested too deep';
	if (Array.isArray(value)) {
		for (const item of value as unknown[]) {
			if (typeof item !== 'object' || item === null) continue;
			const bad = faultOf(item, depth - 1);
			if (bad !== undefined) return bad;
		}
		return undefined;
	}
	for (const key in value) {
		if (key === '__proto__') return 'it has a key __proto__';
		const item = (value as Record<string, unknown>)[key];
		if (typeof item !== 'object' || item === null) continue;
		if (key === 'constructor' && Object.hasOwn(item, 'prototype')) return 'it has a key constructor.prototype';
		const bad = faultOf(item, depth - 1);
		if (bad !== undefined) return bad;
	}
	return undefined;
}
