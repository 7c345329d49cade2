import type { Channel } from './run.ts';

/** Encodes a message as `{publisher} {channel} {number}` and padding, if any. The node's own replies begin with `!`. */
export function encodeMessage(publisher: string, channel: Channel, number: number, padding = ''): string {
	return padding === '' ? `${publisher} ${channel} ${number}` : `${publisher} ${channel} ${number} ${padding}`;
}

export interface Decoded {
	readonly publisher: string;
	readonly channel: Channel;
	readonly number: number;
}

/** Decodes a message. An unreadable one gets a number that was never sent, so that it counts as a stray. */
export function decodeMessage(text: string): Decoded {
	const [publisher = '', channel = '', number = 'none'] = text.split(' ', 3);
	return { publisher, channel, number: Number(number) };
}
