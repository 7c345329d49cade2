import type { Channel } from './run.ts';

/**
 * The text of a message: `{publisher} {channel} {number}`, and padding, if any. The node's own replies begin with `!`.
 */
export function encodeMessage(publisher: string, channel: Channel, number: number, padding = ''): string {
	return padding === '' ? `${publisher} ${channel} ${number}` : `${publisher} ${channel} ${number} ${padding}`;
}

export interface Decoded {
	readonly publisher: string;
	readonly channel: Channel;
	readonly number: number;
}

/** Returns an unreadable message with a number that was never sent, so that it counts as a stray. */
export function decodeMessage(text: string): Decoded {
	const [publisher = '', channel = '', number = 'none'] = text.split(' ', 3);
	return { publisher, channel, number: Number(number) };
}
