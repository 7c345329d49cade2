import { openSync, readFileSync, writeSync } from 'node:fs';
import type { Channel } from '../counting/run.ts';
import type { NodeReport, SentMessages } from './protocol.ts';

/** Records a message. The record survives a SIGKILL of the process that made it. */
export type Journal = (channel: Channel, publishedAt: number, sentAt: number) => void;

export function openJournal(path: string): Journal {
	const file = openSync(path, 'a');
	return (channel, publishedAt, sentAt) => void writeSync(file, `${channel} ${publishedAt} ${sentAt}\n`);
}

/** The report of a node that was killed: what it published or was about to. Nothing else of it is known. */
export function reportOf(path: string): NodeReport {
	const sent = new Map<Channel, SentMessages>();
	// A line that was not finished has no message that was published.
	for (const line of readFileSync(path, 'utf8').split('\n').slice(0, -1)) {
		const [channel = '', publishedAt, sentAt] = line.split(' ');
		let messages = sent.get(channel);
		if (messages === undefined) sent.set(channel, (messages = { publishedAt: [], sentAt: [], outcome: [] }));
		messages.publishedAt.push(Number(publishedAt));
		messages.sentAt.push(Number(sentAt));
		messages.outcome.push('unwatched');
	}
	return { sent, gaps: [], statuses: [], rejections: new Map(), unhandled: [] };
}
