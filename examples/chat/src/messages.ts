/** What page and server say to each other. Both check it against this. */
import { SocketMessage } from '@orijs/websocket/protocol';
import { z } from 'zod';
import { isVisible, tidy } from './tidy.ts';

export const MAX_NAME_LENGTH = 24;
export const MAX_TEXT_LENGTH = 500;

/** How often a node says who is in a room, in milliseconds; one that has not for {@link LIST_LIVES_MS} is gone, and its people with it. */
export const BEAT_MS = 2_000;
export const LIST_LIVES_MS = 5_000;

/** What may be a room, in words. */
export const ROOM_RULE = 'a room is 1 to 32 characters from A-Z a-z 0-9 _ : . -';

/** A room's name is part of a topic, so it is made of characters a topic may have. */
const Room = z.string().regex(/^[A-Za-z0-9_:.-]{1,32}$/, ROOM_RULE);

/** Where it is told what passes in a room: who is here, who is typing. */
export function topicOf(room: string): string {
	return `room:${room}`;
}

/** Where it is told what is said in a room, and what is kept. */
export function saidTopicOf(room: string): string {
	return `said:${room}`;
}

/** Of what is said, the last 500 messages of an hour are kept. */
export const HISTORY = { 'said:*': { size: 500, ttlMs: 3_600_000 } };
/** So many of them are shown to who comes into a room. */
export const SHOWN_FIRST = 50;

export function isRoom(room: string): boolean {
	return Room.safeParse(room).success;
}

export function isRoomTopic(topic: string): boolean {
	return /^(room|said):/.test(topic) && isRoom(topic.slice('room:'.length));
}

const Name = z
	.string()
	.transform((name) => tidy(name).replaceAll(/\s+/g, ' '))
	.refine(isVisible, 'a name has at least one visible character')
	.refine((name) => name.length <= MAX_NAME_LENGTH, `a name has at most ${MAX_NAME_LENGTH} characters`);

const Text = z
	.string()
	.transform(tidy)
	.refine(isVisible, 'there is nothing to say in that message')
	.refine((text) => text.length <= MAX_TEXT_LENGTH, `a message has at most ${MAX_TEXT_LENGTH} characters`);

/** Milliseconds since 1970, by the clock of a node. */
const Time = z.number();

/** Somebody who is connected. The id tells two people of one name apart, and is another one for each connection. */
const Person = z.object({ id: z.uuid(), name: z.string() });
export type Person = z.infer<typeof Person>;

/** A server process, from its start to its end. */
const Node = z.object({ id: z.uuid(), name: z.string() });
export type Node = z.infer<typeof Node>;

/** Who is in a room and connected to this node. */
const NodeList = z.object({ node: Node, people: z.array(Person) });
export type NodeList = z.infer<typeof NodeList>;

// What a connection begins with

/** What the page shows as `auth`. */
export const Introduction = z.object({ name: Name });

// From pages

/**
 * Enters a room, and leaves the one before: a visitor is in one room at a time. Subscribe to its topic before, and nothing is missed.
 * The answer has the people of one's own node; those of others say so themselves.
 */
export const Enter = SocketMessage.define({
	name: 'chat.enter',
	data: z.object({ room: Room }),
	reply: NodeList.extend({ you: Person }),
});

export const Rename = SocketMessage.define({
	name: 'chat.rename',
	data: z.object({ name: Name }),
	reply: z.object({ name: z.string() }),
});

/**
 * Says something to everyone in a room, oneself included. The id is the page's to choose, another one for each text. Who can't tell whether
 * it was said says it again with the same id: whoever has it already leaves the second one out.
 */
export const Say = SocketMessage.define({
	name: 'chat.say',
	data: z.object({ id: z.uuid(), room: Room, text: Text }),
	reply: z.object({ at: Time }),
});

/** Tells the others that one is writing; worth repeating every {@link TYPING_EVERY_MS} while it is so. */
export const Type = SocketMessage.define({ name: 'chat.type', data: z.object({ room: Room }) });
export const TYPING_EVERY_MS = 2_000;
export const TYPING_LIVES_MS = 4_000;

/** Restarts the node one is connected to; the one that this id names, so that who asks again does not restart its successor. */
export const Restart = SocketMessage.define({ name: 'node.restart', data: z.object({ id: z.uuid() }) });

// To everyone in a room

export const Said = SocketMessage.define({
	name: 'room.said',
	data: z.object({ id: z.uuid(), from: Person, node: z.string(), text: z.string(), at: Time }),
});
export type Said = z.infer<typeof Said.data>;

/** A node's people in the room have changed, or it says once more who they are. */
export const Here = SocketMessage.define({ name: 'room.here', data: NodeList });

export const Typing = SocketMessage.define({ name: 'room.typing', data: z.object({ from: Person }) });
