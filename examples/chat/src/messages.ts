/** The messages between page and server. Both sides validate them. */
import { SocketMessage } from '@orijs/websocket/protocol';
import { z } from 'zod';
import { isVisible, tidy } from './tidy.ts';

export const MAX_NAME_LENGTH = 24;
export const MAX_TEXT_LENGTH = 500;

/** The rule for room names, as shown in error messages. */
export const ROOM_RULE = 'a room name has 1 to 32 characters from A-Z a-z 0-9 _ : . -';

/** A room's name becomes part of a topic, so only characters that are valid in topics are allowed. */
export const Room = z.string().regex(/^[A-Za-z0-9_:.-]{1,32}$/, ROOM_RULE);

/** Returns the topic whose presence says who is in the room. */
export function topicOf(room: string): string {
	return `room:${room}`;
}

/** Returns the topic for chat messages, which has history. */
export function saidTopicOf(room: string): string {
	return `said:${room}`;
}

/** Returns the topics of everyone in a room. */
export function topicsOf(room: string): string[] {
	return [topicOf(room), saidTopicOf(room)];
}

/** Keeps up to 500 messages per room, for an hour. */
export const HISTORY = { 'said:*': { size: 500, ttlMs: 3_600_000 } };
/** Who is in a room. A reload, or a restart of a node, is shorter than the delay. */
export const PRESENCE = { 'room:*': { leaveDelayMs: 5_000 } };
/** How many of the kept messages a newcomer sees. */
export const SHOWN_FIRST = 50;

export function isRoom(room: string): boolean {
	return Room.safeParse(room).success;
}

/** Returns the room of a topic that {@link topicOf} has returned; undefined for any other topic. */
export function roomOf(topic: string): string | undefined {
	return topic.startsWith('room:') ? topic.slice('room:'.length) : undefined;
}

const Name = z
	.string()
	.transform((name) => tidy(name).replaceAll(/\s+/g, ' '))
	.refine(isVisible, 'a name must have at least one visible character')
	.refine((name) => name.length <= MAX_NAME_LENGTH, `a name must have at most ${MAX_NAME_LENGTH} characters`);

const Text = z
	.string()
	.transform(tidy)
	.refine(isVisible, 'a message must have at least one visible character')
	.refine((text) => text.length <= MAX_TEXT_LENGTH, `a message must have at most ${MAX_TEXT_LENGTH} characters`);

/** Milliseconds since the epoch, by the clock of a node. */
export const Time = z.number();

/** A visitor. The id distinguishes people with the same name; it is the user id of all their connections. */
const Person = z.object({ id: z.uuid(), name: z.string() });
export type Person = z.infer<typeof Person>;

/** What the members of a room see of each other. Only `typing` is said by the pages. */
export const MemberInfo = z.strictObject({ name: z.string(), node: z.string(), typing: z.boolean().optional() });
export type MemberInfo = z.infer<typeof MemberInfo>;

/** One run of a node, from start to stop. Each run has a new id. */
const Node = z.object({ id: z.uuid(), name: z.string() });
export type Node = z.infer<typeof Node>;

/** What has become of an action on connections, wherever they are. */
export const Outcome = z.object({
	/** How many connections it has met. */
	sockets: z.number(),
	/** How many nodes were asked. */
	nodes: z.number(),
	/** How many of them have answered. What the others have done is unknown. */
	answered: z.number(),
	/** The ids of those that have not, as far as they are known. */
	unanswered: z.array(z.string()),
});
export type Outcome = z.infer<typeof Outcome>;

// Sent first on every connection

/**
 * The `auth` data that the page sends: who is there, in which room they are, and their key if they are a moderator.
 * There are no accounts: a visitor is a browser, which has made up its id.
 */
export const Introduction = z.object({
	visitor: z.uuid(),
	name: Name,
	room: Room.optional(),
	key: z.string().optional(),
});

// From pages

/** Enters a room, and leaves the previous one. Answered when messages of the new one arrive. */
export const Enter = SocketMessage.define({
	name: 'chat.enter',
	data: z.object({ room: Room }),
	reply: z.object({ node: Node, you: Person, isModerator: z.boolean() }),
});

/** Removes a person from a room. Refused with `forbidden` unless the sender is a moderator. */
export const Remove = SocketMessage.define({
	name: 'chat.remove',
	data: z.object({ id: Person.shape.id, room: Room }),
	reply: Outcome,
});

export const Rename = SocketMessage.define({
	name: 'chat.rename',
	data: z.object({ name: Name }),
	reply: z.object({ name: z.string() }),
});

/**
 * Sends a message to everyone in a room, the sender included. Refused with `not_in_room` if the sender is not in it.
 * The page chooses a new id for each message. If it does not know whether a message has arrived, it sends the message
 * again with the same id. Duplicates are dropped.
 */
export const Say = SocketMessage.define({
	name: 'chat.say',
	data: z.object({ id: z.uuid(), room: Room, text: Text }),
	reply: z.object({ at: Time }),
});

/** Restarts the node with this id. Because a restarted node has a new id, repeating the request has no effect. */
export const Restart = SocketMessage.define({ name: 'node.restart', data: z.object({ id: z.uuid() }) });

// To everyone in a room

export const Said = SocketMessage.define({
	name: 'room.said',
	data: z.object({ id: z.uuid(), from: Person, node: z.string(), text: z.string(), at: Time }),
});
export type Said = z.infer<typeof Said.data>;
