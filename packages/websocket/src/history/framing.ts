import { encodeBinaryFrame } from '../protocol/binary-frame.ts';
import { BuiltIn } from '../protocol/built-in.ts';
import { type CarriedValue, restoreValues } from '../protocol/carried-values.ts';
import { encodeEnvelope, type Envelope } from '../protocol/envelope.ts';
import type { PositionedEnvelope } from '../protocol/positioned-envelope.ts';
import { type Payload, snapshot } from '../wire/payload.ts';
import type { HistoryContent, HistoryEntry } from './history-store.ts';

/** Returns the stored form of a payload: text in an envelope, or the bytes as they are. */
export function contentOf(topic: string, payload: Payload): HistoryContent {
	return typeof payload === 'string' ? encodeEnvelope(BuiltIn.text, payload, topic) : snapshot(payload);
}

/** Returns the frame that clients receive: an envelope with its position as JSON, or a binary frame. */
export function frameOf(topic: string, epoch: string, entry: HistoryEntry): string | Uint8Array {
	const { offset, prev, timestamp, content } = entry;
	// An envelope is a JSON object that is never empty, so the position can be appended to it.
	if (typeof content === 'string')
		return `${content.slice(0, -1)},"position":{"epoch":"${epoch}","offset":${offset},"prev":${prev}}}`;
	return encodeBinaryFrame({ topic, timestamp, position: { epoch, offset, prev } }, content);
}

/** Returns a stored message as the JSON of an envelope. Bytes are encoded as in typed data. */
export function envelopeTextOf(topic: string, epoch: string, entry: HistoryEntry): string {
	const { offset, prev, timestamp, content } = entry;
	if (typeof content === 'string') return frameOf(topic, epoch, entry) as string;
	const data = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('base64');
	const values: CarriedValue[] = [['arraybuffer']];
	return JSON.stringify({ name: BuiltIn.bytes, data, timestamp, topic, position: { epoch, offset, prev }, values });
}

/** Returns a stored message as an envelope, for readers of the history on the server. */
export function envelopeOf(topic: string, epoch: string, entry: HistoryEntry): PositionedEnvelope {
	const { offset, prev, timestamp, content } = entry;
	const position = { epoch, offset, prev };
	if (typeof content !== 'string') return { name: BuiltIn.bytes, data: content, timestamp, topic, position };
	const envelope = JSON.parse(content) as Envelope;
	restoreValues(envelope);
	return { ...envelope, topic, position };
}
