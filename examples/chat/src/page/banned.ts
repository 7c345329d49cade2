import type { ConnectionEnd } from '@orijs/websocket-client';
import { client } from './client.ts';
import { noticeEntry } from './entry.ts';
import { addEntry } from './log.ts';
import { unwatchRoom } from './presence.ts';

/** Whether a moderator has disconnected the visitor, or the server refuses them since. */
export function isBanned(end: ConnectionEnd | undefined): boolean {
	return end?.reason === 'banned';
}

/** Tells a visitor who is banned why. The client stays closed. */
export function startBanned(): void {
	client.onStateChange((state, { end }) => {
		if (state !== 'closed' || !isBanned(end)) return;
		unwatchRoom();
		// Only the connection that was ended was told the moderator's words.
		const why = end?.disconnected?.message;
		addEntry(noticeEntry(Date.now(), why === undefined ? 'You are banned' : `You were banned: ${why}`));
	});
}
