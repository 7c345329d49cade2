/**
 * Channel names. A topic is its own channel; every internal channel starts with a character that no topic may contain,
 * so the two never collide.
 */

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** The rule for socket ids, for error messages. */
export const SOCKET_ID_RULE = 'a UUID v4, as returned by crypto.randomUUID()';

export function isSocketId(value: unknown): value is string {
	return typeof value === 'string' && UUID_V4.test(value);
}

/** The channel for messages to all sockets. Every node subscribes to it. */
export const BROADCAST_CHANNEL = '*';

/** The channel on which changes of a topic's members are published. */
export function presenceChannel(topic: string): string {
	return BROADCAST_CHANNEL + topic;
}

/** Returns the topic that a presence channel belongs to; undefined for other channels. */
export function topicOfPresenceChannel(channel: string): string | undefined {
	return channel.length > 1 && channel.startsWith(BROADCAST_CHANNEL) ? channel.slice(1) : undefined;
}

const DIRECT_PREFIX = '@';

/** The channel of one socket. Only the socket's node subscribes to it. */
export function directChannel(socketId: string): string {
	return DIRECT_PREFIX + socketId;
}

/** Returns the socket that a direct channel belongs to; undefined for other channels. */
export function socketOfChannel(channel: string): string | undefined {
	return channel.startsWith(DIRECT_PREFIX) ? channel.slice(DIRECT_PREFIX.length) : undefined;
}

const NODE_PREFIX = '!';

/** The channel of one node, for messages from other nodes. */
export function nodeChannel(nodeId: string): string {
	return NODE_PREFIX + nodeId;
}

/** The first character of the texts between nodes that are the provider's own. */
export const NODE_TEXT_PREFIX = '#';

/** Returns whether a channel belongs to a node. */
export function isNodeChannel(channel: string): boolean {
	return channel.startsWith(NODE_PREFIX);
}
