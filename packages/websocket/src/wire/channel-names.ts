/**
 * Names on the wire. A topic is the user's; every internal name starts with a character no topic may contain, so the two can
 * never collide.
 */

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** What a socket id may be, for error messages. */
export const SOCKET_ID_RULE = 'a UUID v4, as crypto.randomUUID() makes it';

export function isSocketId(value: unknown): value is string {
	return typeof value === 'string' && UUID_V4.test(value);
}

/** The channel that every node listens on, for messages to all sockets. */
export const BROADCAST_CHANNEL = '*';

const DIRECT_PREFIX = '@';

/** The channel of one socket, which only its own node listens on. */
export function directChannel(socketId: string): string {
	return DIRECT_PREFIX + socketId;
}

/** The socket a direct channel belongs to, or undefined for any other channel. */
export function socketOfChannel(channel: string): string | undefined {
	return channel.startsWith(DIRECT_PREFIX) ? channel.slice(DIRECT_PREFIX.length) : undefined;
}

const NODE_PREFIX = '!';

/** The channel of one node, on which other nodes tell it something. */
export function nodeChannel(nodeId: string): string {
	return NODE_PREFIX + nodeId;
}

/** Whether a channel is a node's own. */
export function isNodeChannel(channel: string): boolean {
	return channel.startsWith(NODE_PREFIX);
}
