/** What page and server say to each other, one JSON object per text frame, and the rules both sides know. */

export const MAX_NAME_LENGTH = 24;
export const MAX_TEXT_LENGTH = 500;

/** What may be a room, in words. */
export const ROOM_RULE = 'a room is 1 to 32 characters out of A-Z a-z 0-9 _ : . -';

/** A room's name becomes part of a topic, so it is made of the characters a topic may have. */
export function isRoom(value: unknown): value is string {
	return typeof value === 'string' && /^[A-Za-z0-9_:.-]{1,32}$/.test(value);
}

export type FromPage = Join | Say;

/** Enters a room, and leaves the one before: a visitor is in one room at a time. */
export interface Join {
	readonly type: 'join';
	readonly name: string;
	readonly room: string;
}

/** Says something to everyone in the room, oneself included. */
export interface Say {
	readonly type: 'say';
	readonly text: string;
}

export type FromServer = Welcome | Joined | Entered | Left | Said | Problem;

/** The first message on every connection. */
export interface Welcome {
	readonly type: 'welcome';
	/** Which server process this is. */
	readonly node: string;
	/** The visitor's own `from` in what is said. */
	readonly you: string;
}

/** The answer to a {@link Join}: from now on everything said in the room, on any node, arrives. */
export interface Joined {
	readonly type: 'joined';
	readonly name: string;
	readonly room: string;
}

/** Somebody else came. */
export interface Entered extends Event {
	readonly type: 'entered';
}

/** Somebody else went. */
export interface Left extends Event {
	readonly type: 'left';
}

export interface Said extends Event {
	readonly type: 'said';
	readonly text: string;
}

/** Something did not work; `reason` is a sentence for the visitor. */
export interface Problem {
	readonly type: 'problem';
	readonly reason: string;
}

/** Something that happens in a room, and is told to everyone in it. */
interface Event {
	readonly room: string;
	/** Who, as a number nobody can guess; and the name they chose, which others may have chosen as well. */
	readonly from: string;
	readonly name: string;
	/** The server process they are connected to. */
	readonly node: string;
	/** Milliseconds since 1970. */
	readonly at: number;
}
