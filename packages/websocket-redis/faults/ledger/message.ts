import type { Channel } from './run.ts';

/** What a client gets: `{publisher} {channel} {number}`, then anything, to make it longer. Replies of the node begin with `!`. */
export function encodeMessage(publisher: string, channel: Channel, number: number, padding = ''): string {
	return padding === '' ? `${publisher} ${channel} ${number}` : `${publisher} ${channel} ${number} ${padding}`;
}

export interface Decoded {
	readonly publisher: string;
	readonly channel: Channel;
	readonly number: number;
}

/** Something unreadable comes out with a number that nobody sent, and is counted as a stray. */
export function decodeMessage(text: string): Decoded {
	const [publisher = '', channel = '', number = 'none'] = text.split(' ', 3);
	return { publisher, channel, number: Number(number) };
}
