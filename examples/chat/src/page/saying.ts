import { type Said, Say } from '../messages.ts';
import { client } from './client.ts';
import { showProblem } from './composer.ts';
import { messageEntry, type OwnEntry, ownEntry } from './entry.ts';
import { addEntry, clearLog, moveEntry } from './log.ts';
import { isUnavailable, reasonOf } from './reason.ts';

/** How many message ids are remembered, so that duplicates are not shown. */
const MAX_KNOWN = 1_000;

/** This visitor's messages that have not come back from the room yet, by id. */
const own = new Map<string, OwnEntry>();
const known = new Set<string>();

/**
 * Sends a message and shows it immediately: first as pending, then as sent, or as failed with a button to try again.
 */
export function say(text: string, room: string, you: { readonly id: string; readonly name: string }): void {
	const id = crypto.randomUUID();
	const entry = ownEntry(text, you.name, you.id);
	own.set(id, entry);
	addEntry(entry, true);
	const ask = (): void => {
		entry.pending();
		client.request(Say, { id, room, text }).then(
			({ at }) => {
				entry.confirmed(at);
				moveEntry(entry);
			},
			(error: unknown) => {
				// The message came back from the room, so it was sent. With `unavailable`, however, other nodes may not
				// have it.
				if (known.has(id) && !isUnavailable(error)) return;
				// The page already shows another room.
				if (!entry.element.isConnected) return showProblem(`Not sent to #${room}: ${reasonOf(error)}.`);
				// Trying again uses the same id, so a page that already has the message does not show it twice.
				entry.failed(reasonOf(error), ask);
				moveEntry(entry);
			},
		);
	};
	ask();
}

/** Handles a message that has arrived. Returns whether it is new: neither this visitor's own nor a duplicate. */
export function hearSaid(said: Said): boolean {
	if (known.has(said.id)) return false;
	known.add(said.id);
	for (const old of known) {
		if (known.size <= MAX_KNOWN) break;
		known.delete(old);
	}
	const mine = own.get(said.id);
	if (mine === undefined) {
		addEntry(messageEntry(said));
		return true;
	}
	own.delete(said.id);
	mine.said(said);
	moveEntry(mine);
	return false;
}

/** Forgets the messages of the previous room. */
export function forgetSaid(): void {
	own.clear();
	known.clear();
	clearLog();
}
