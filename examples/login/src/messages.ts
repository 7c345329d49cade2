/** What page and server say to each other. Both check what arrives against it. */
import { SocketMessage } from '@orijs/websocket/protocol';
import { z } from 'zod';

export const MAX_TEXT_LENGTH = 500;
/** How many notes the board keeps; the oldest goes first. */
export const MAX_NOTES = 100;

/** Where everything about the board is told to everyone. */
export const NOTES_TOPIC = 'notes';

/** Where things are told that are one user's own affair. */
export function userTopic(name: string): string {
	return `user:${name}`;
}

/** A name is part of a topic, so it is made of characters a topic may have. */
const Name = z.string().regex(/^[a-z0-9-]{1,32}$/);

const User = z.object({ name: Name, role: z.enum(['member', 'admin']) });
export type User = z.infer<typeof User>;

const Note = z.object({
	id: z.uuid(),
	author: Name,
	text: z.string(),
	/** Milliseconds since 1970. */
	at: z.number(),
});
export type Note = z.infer<typeof Note>;

// From clients

/** Who one is, and the board as it is now. Subscribe to {@link NOTES_TOPIC} before, and nothing is missed. */
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

/** Refused with `forbidden` unless one wrote the note or is an admin, with `no_such_note` if it is gone. */
export const RemoveNote = SocketMessage.define({ name: 'note.remove', data: z.object({ id: z.uuid() }) });

// To everyone at the board

export const NotePosted = SocketMessage.define({ name: 'note.posted', data: Note });

export const NoteRemoved = SocketMessage.define({ name: 'note.removed', data: z.object({ id: z.uuid() }) });

export const OnlineChanged = SocketMessage.define({
	name: 'online.changed',
	data: z.object({ online: z.array(Name) }),
});

// To one user

/** Somebody else took the user's note down. */
export const NoteTakenDown = SocketMessage.define({
	name: 'note.taken-down',
	data: z.object({ by: Name, text: z.string() }),
});
