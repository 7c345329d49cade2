import { encodeBinaryFrame, hasMagic, payloadOf } from '../protocol/binary-frame.ts';
import { BuiltIn } from '../protocol/built-in.ts';
import type { Envelope } from '../protocol/envelope.ts';
import type { Payload } from './payload.ts';

/**
 * Returns whether a client that speaks the protocol could take an application's payload for a frame: text whose first
 * non-blank character is `{`, or bytes that begin as binary frames do. Looks at one character of ordinary text.
 */
export function isMistakable(payload: Payload): boolean {
	return typeof payload === 'string' ? startsWithBrace(payload) : hasMagic(payload);
}

function startsWithBrace(text: string): boolean {
	let at = 0;
	let unit = text.charCodeAt(0);
	while (isBlank(unit)) unit = text.charCodeAt(++at);
	return unit === BRACE;
}

/** At least what JSON parsers skip. Some of them skip a byte order mark as well. */
function isBlank(unit: number): boolean {
	return unit <= SPACE || unit === BYTE_ORDER_MARK;
}

const BRACE = '{'.charCodeAt(0);
const SPACE = ' '.charCodeAt(0);
const BYTE_ORDER_MARK = 0xfeff;

/** Puts a mistakable payload into a frame, from which clients that speak the protocol take it unchanged. */
export function framed(payload: Payload): string | Uint8Array {
	const timestamp = Date.now();
	if (typeof payload !== 'string') return encodeBinaryFrame({ timestamp }, bytesOf(payload));
	// Outside of JSON, lone surrogates can't be sent: UTF-8 replaces them.
	return `${TEXT_START},"data":${JSON.stringify(payload.toWellFormed())},"timestamp":${timestamp}}`;
}

/** Returns the form of an application's payload for clients that speak the protocol. */
export function toSpeaker(payload: Payload): Payload {
	return isMistakable(payload) ? framed(payload) : payload;
}

/**
 * Returns the form of a stored message for plain clients: text and bytes as they were published, and typed messages in
 * their envelopes.
 *
 * @param frame the form for clients that speak the protocol
 */
export function plainOf(frame: string | Uint8Array): string | Uint8Array {
	if (typeof frame !== 'string') return payloadOf(frame);
	return frame.startsWith(TEXT_START) ? (JSON.parse(frame) as Envelope<string>).data : frame;
}

/** No typed message can have this name. */
const TEXT_START = `{"name":"${BuiltIn.text}"`;

function bytesOf(payload: Exclude<Payload, string>): Uint8Array {
	if (payload instanceof Uint8Array) return payload;
	return ArrayBuffer.isView(payload)
		? new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength)
		: new Uint8Array(payload);
}
