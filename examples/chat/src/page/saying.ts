import { type Said, Say } from '../messages.ts';
import { client } from './client.ts';
import { messageEntry, type OwnEntry, ownEntry } from './entry.ts';
import { addEntry, clearLog, moveEntry } from './log.ts';
import { isUnavailable, reasonOf } from './reason.ts';

/** How many messages are remembered, so that one that comes twice is shown once. */
const MOST_KNOWN = 1_000;

/** Those under way. */
const own = new Map<string, OwnEntry>();
const known = new Set<string>();

/** Says something, and shows it at once: on its way, then arrived, or not sent and what to do about that. */
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
				// It came back from the room, so only that other nodes have it can be in doubt.
				if (known.has(id) && !isUnavailable(error)) return;
				// The same id once more: who has it already does not show it twice.
				entry.failed(reasonOf(error), ask);
				moveEntry(entry);
			},
		);
	};
	ask();
}

/** Something was said in the room. Returns whether it is news: not what one has said oneself, and not for the second time. */
export function hearSaid(said: Said): boolean {
	if (known.has(said.id)) return false;
	known.add(said.id);
	for (const old of known) {
		if (known.size <= MOST_KNOWN) break;
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

/** Another room: nothing of the one before is shown any more. */
export function forgetSaid(): void {
	own.clear();
	clearLog();
}
