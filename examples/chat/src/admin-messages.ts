/** The messages between the admin page and the server, at an endpoint of their own. */
import { SocketMessage } from '@orijs/websocket/protocol';
import { z } from 'zod';
import { Outcome, Room, Time } from './messages.ts';

export const ADMIN_PATH = '/admin/ws';
/** The longest reason of a ban. */
export const MAX_WHY_LENGTH = 200;
/** How many connections the page shows. */
export const MAX_CONNECTIONS = 200;

const UserId = z.uuid();

const NodeRow = z.object({
	id: z.string(),
	/** Unknown if the node has not answered. */
	name: z.string().optional(),
	host: z.string(),
	version: z.string(),
	startedAt: Time,
	connections: z.number(),
	/** The time since the last sign of life of the node, in milliseconds. */
	ageMs: z.number(),
	/** Whether the page is connected to this node. */
	isSelf: z.boolean(),
});

const ConnectionRow = z.object({
	socketId: z.string(),
	/** Undefined for admin pages, as `name`. */
	userId: z.string().optional(),
	name: z.string().optional(),
	nodeId: z.string(),
	connectedAt: Time,
	address: z.string(),
	topics: z.array(z.string()),
});
export type ConnectionRow = z.infer<typeof ConnectionRow>;

export const Ban = z.object({
	userId: UserId,
	/** The user's name at that time. */
	name: z.string(),
	/** The reason, which the user sees. */
	why: z.string(),
	at: Time,
});
export type Ban = z.infer<typeof Ban>;

const Overview = z.object({
	/** Of the question who is connected. */
	found: Outcome,
	nodes: z.array(NodeRow),
	connections: z.array(ConnectionRow),
	/** Whether there are more connections than {@link MAX_CONNECTIONS}. */
	hasMore: z.boolean(),
	/** Unknown if the list can't be read. */
	bans: z.array(Ban).optional(),
});
export type Overview = z.infer<typeof Overview>;

export const Look = SocketMessage.define({ name: 'admin.look', data: z.object({}), reply: Overview });

/** Takes a user out of a room, on all of their connections. They can come back. */
export const Kick = SocketMessage.define({
	name: 'admin.kick',
	data: z.object({ userId: UserId, room: Room }),
	reply: Outcome,
});

/** Ends all connections of a user, who can't come back until the ban is lifted. */
export const BanUser = SocketMessage.define({
	name: 'admin.ban',
	data: Ban.omit({ at: true }).extend({ why: z.string().trim().min(1).max(MAX_WHY_LENGTH) }),
	reply: Outcome,
});

export const LiftBan = SocketMessage.define({ name: 'admin.lift', data: z.object({ userId: UserId }) });
