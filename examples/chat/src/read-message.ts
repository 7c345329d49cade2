import { type FromPage, isRoom, MAX_NAME_LENGTH, MAX_TEXT_LENGTH, ROOM_RULE } from './protocol.ts';

/** A frame that is no message of ours. What it says is meant for whoever sent it. */
export class BadMessageError extends Error {
	override readonly name = 'BadMessageError';
}

/** Far above what any valid message takes, and far below what would be work to parse. */
const MAX_FRAME_LENGTH = 8_192;

/**
 * Turns a frame into a message. Whatever a stranger may send ends here, tidied up or refused.
 *
 * @throws {BadMessageError}
 */
export function readMessage(frame: string | Uint8Array): FromPage {
	if (typeof frame !== 'string') throw new BadMessageError('Send text frames: this chat has no use for binary ones.');
	if (frame.length > MAX_FRAME_LENGTH) throw new BadMessageError('That is far too long.');

	const message = parse(frame);
	if (message['type'] === 'join')
		return { type: 'join', name: readName(message['name']), room: readRoom(message['room']) };
	if (message['type'] === 'say') return { type: 'say', text: readText(message['text']) };
	throw new BadMessageError('A message has the type "join" or "say".');
}

function parse(frame: string): Record<string, unknown> {
	let value: unknown;
	try {
		value = JSON.parse(frame);
	} catch {
		throw new BadMessageError('That is not JSON.');
	}
	if (typeof value !== 'object' || value === null) throw new BadMessageError('A message is a JSON object.');
	return value as Record<string, unknown>;
}

function readRoom(room: unknown): string {
	if (!isRoom(room)) throw new BadMessageError(`There can be no such room: ${ROOM_RULE}.`);
	return room;
}

function readName(value: unknown): string {
	const name = tidy(value).replaceAll(/\s+/g, ' ');
	if (!isVisible(name)) throw new BadMessageError('A name has at least one visible character.');
	if (name.length > MAX_NAME_LENGTH) throw new BadMessageError(`A name has at most ${MAX_NAME_LENGTH} characters.`);
	return name;
}

function readText(value: unknown): string {
	const text = tidy(value);
	if (!isVisible(text)) throw new BadMessageError('There is nothing to say in that message.');
	if (text.length > MAX_TEXT_LENGTH) throw new BadMessageError(`A message has at most ${MAX_TEXT_LENGTH} characters.`);
	return text;
}

/** Without control characters, half surrogate pairs and outer blanks. */
function tidy(value: unknown): string {
	return typeof value === 'string' ? value.replaceAll(/(?![\n\t])[\p{Cc}\p{Cs}]/gu, '').trim() : '';
}

/** Whether there is more than blanks and characters that only steer their neighbours. */
function isVisible(text: string): boolean {
	return /[^\s\p{Z}\p{Cf}\p{M}]/u.test(text);
}
