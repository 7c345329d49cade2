/** The messages between page and server. Both validate them. */
import { SocketMessage } from '@orijs/websocket/protocol';
import { z } from 'zod';
import { isVisible, tidy } from './tidy.ts';

export const MAX_NAME_LENGTH = 24;
export const MAX_TEXT_LENGTH = 500;

/**
 * How often a node sends its list of people, in milliseconds. After {@link LIST_LIVES_MS} without one its people are
 * dropped.
 */
export const BEAT_MS = 2_000;
export const LIST_LIVES_MS = 5_000;

/** The rule for room names, for error messages. */
export const ROOM_RULE = 'a room is 1 to 32 characters from A-Z a-z 0-9 _ : . -';

/** A room's name is part of a topic and has only characters that a topic may have. */
const Room = z.string().regex(/^[A-Za-z0-9_:.-]{1,32}$/, ROOM_RULE);

/** The topic for what doesn't need to be stored: who is here, who is typing. */
export function topicOf(room: string): string {
	return `room:${room}`;
}

/** The topic for messages, which has history. */
export function saidTopicOf(room: string): string {
	return `said:${room}`;
}

/** Keeps the last 500 messages of an hour. */
export const HISTORY = { 'said:*': { size: 500, ttlMs: 3_600_000 } };
/** How many of them a newcomer sees. */
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
	.refine(isVisible, 'a message has at least one visible character')
	.refine((text) => text.length <= MAX_TEXT_LENGTH, `a message has at most ${MAX_TEXT_LENGTH} characters`);

/** Milliseconds since the epoch, by the clock of a node. */
const Time = z.number();

/** A connected person. The id is new for each connection and tells people of the same name apart. */
const Person = z.object({ id: z.uuid(), name: z.string() });
export type Person = z.infer<typeof Person>;

/** A run of a server process. */
const Node = z.object({ id: z.uuid(), name: z.string() });
export type Node = z.infer<typeof Node>;

/** Who of this node is in a room. */
const NodeList = z.object({ node: Node, people: z.array(Person) });
export type NodeList = z.infer<typeof NodeList>;

// Sent first on every connection

/** What the page sends as `auth`. */
export const Introduction = z.object({ name: Name });

// From pages

/**
 * Enters a room and leaves the previous one: a visitor is in one room at a time. Subscribe to its topics before, so
 * that nothing is missed. The reply lists the people of this node; other nodes send their own lists.
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
 * Sends a message to everyone in a room, the sender included. The page chooses a new id for each message, and repeats
 * it with the same id if it is unknown whether it arrived: the duplicate is dropped.
 */
export const Say = SocketMessage.define({
	name: 'chat.say',
	data: z.object({ id: z.uuid(), room: Room, text: Text }),
	reply: z.object({ at: Time }),
});

/** Tells the others that the sender is typing; repeated every {@link TYPING_EVERY_MS} meanwhile. */
export const Type = SocketMessage.define({ name: 'chat.type', data: z.object({ room: Room }) });
export const TYPING_EVERY_MS = 2_000;
export const TYPING_LIVES_MS = 4_000;

/** Restarts the node with this id. A repeated request does not restart its successor. */
export const Restart = SocketMessage.define({ name: 'node.restart', data: z.object({ id: z.uuid() }) });

// To everyone in a room

export const Said = SocketMessage.define({
	name: 'room.said',
	data: z.object({ id: z.uuid(), from: Person, node: z.string(), text: z.string(), at: Time }),
});
export type Said = z.infer<typeof Said.data>;

/** A node's list of people in the room, sent on every change and repeated. */
export const Here = SocketMessage.define({ name: 'room.here', data: NodeList });

export const Typing = SocketMessage.define({ name: 'room.typing', data: z.object({ from: Person }) });
