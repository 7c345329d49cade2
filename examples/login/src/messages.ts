/** The messages between page and server. Both sides validate them. */
import { SocketMessage } from '@orijs/websocket/protocol';
import { z } from 'zod';

export const MAX_TEXT_LENGTH = 500;
/** How many notes the board keeps. When there are more, the oldest is dropped. */
export const MAX_NOTES = 100;

/** The topic for changes to the board. */
export const NOTES_TOPIC = 'notes';

/** Returns a user's own topic, for messages that concern only that user. */
export function userTopic(name: string): string {
	return `user:${name}`;
}

/** A name becomes part of a topic, so only characters that are valid in topics are allowed. */
const Name = z.string().regex(/^[a-z0-9-]{1,32}$/);

const User = z.object({ name: Name, role: z.enum(['member', 'admin']) });
export type User = z.infer<typeof User>;

const Note = z.object({
	id: z.uuid(),
	author: Name,
	text: z.string(),
	/** Milliseconds since the epoch. */
	at: z.number(),
});
export type Note = z.infer<typeof Note>;

// From clients

/**
 * Asks for the logged-in user and the current board. Subscribe to {@link NOTES_TOPIC} first, so that nothing is missed.
 */
export const ReadBoard = SocketMessage.define({
	name: 'board.read',
	data: z.object({}),
	reply: z.object({ you: User, notes: z.array(Note), online: z.array(Name) }),
});

export const PostNote = SocketMessage.define({
	name: 'note.post',
	data: z.object({ text: z.string().trim().min(1).max(MAX_TEXT_LENGTH) }),
	reply: z.object({ id: z.uuid() }),
});

/**
 * Removes a note. Refused with `forbidden` unless the sender is the note's author or an admin, and with `no_such_note`
 * if the note no longer exists.
 */
export const RemoveNote = SocketMessage.define({ name: 'note.remove', data: z.object({ id: z.uuid() }) });

// To everyone at the board

export const NotePosted = SocketMessage.define({ name: 'note.posted', data: Note });

export const NoteRemoved = SocketMessage.define({ name: 'note.removed', data: z.object({ id: z.uuid() }) });

export const OnlineChanged = SocketMessage.define({
	name: 'online.changed',
	data: z.object({ online: z.array(Name) }),
});

// To one user

/** Tells the author of a note that an admin has removed it. */
export const NoteTakenDown = SocketMessage.define({
	name: 'note.taken-down',
	data: z.object({ by: Name, text: z.string() }),
});
