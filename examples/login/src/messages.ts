/** The messages between page and server. Both validate them. */
import { SocketMessage } from '@orijs/websocket/protocol';
import { z } from 'zod';

export const MAX_TEXT_LENGTH = 500;
/** How many notes the board keeps; the oldest is dropped first. */
export const MAX_NOTES = 100;

/** The topic for changes of the board. */
export const NOTES_TOPIC = 'notes';

/** The topic of one user, for what concerns only them. */
export function userTopic(name: string): string {
	return `user:${name}`;
}

/** A name is part of a topic and has only characters that a topic may have. */
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

/** Returns the user and the current board. Subscribe to {@link NOTES_TOPIC} before, so that nothing is missed. */
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

/** Refused with `forbidden` unless the sender is its author or an admin, with `no_such_note` if it no longer exists. */
export const RemoveNote = SocketMessage.define({ name: 'note.remove', data: z.object({ id: z.uuid() }) });

// To everyone at the board

export const NotePosted = SocketMessage.define({ name: 'note.posted', data: Note });

export const NoteRemoved = SocketMessage.define({ name: 'note.removed', data: z.object({ id: z.uuid() }) });

export const OnlineChanged = SocketMessage.define({
	name: 'online.changed',
	data: z.object({ online: z.array(Name) }),
});

// To one user

/** An admin removed a note of the user. */
export const NoteTakenDown = SocketMessage.define({
	name: 'note.taken-down',
	data: z.object({ by: Name, text: z.string() }),
});
