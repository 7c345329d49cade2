import { SocketRouter } from '@orijs/core';
import type { Cluster } from '@orijs/websocket';
import type { Bans } from './bans.ts';
import { goTo, introduce, mustBeIn, type Visitor } from './entering.ts';
import type { Here } from './here.ts';
import {
	Enter,
	type Node,
	Remove,
	Rename,
	Restart,
	roomOf,
	Said,
	Say,
	saidTopicOf,
	topicOf,
	Type,
	Typing,
} from './messages.ts';
import { removeFrom } from './removing.ts';

export interface ChatActions {
	readonly node: Node;
	readonly here: Here;
	readonly cluster: Cluster;
	readonly bans: Bans;
	/** Sends this node's list of people in a room to everyone in it. */
	tellWhoIsHere(room: string): void;
	/** Whether this is the moderators' key. */
	isKey(key: unknown): boolean;
	/** Begins to restart this node. */
	restart(): void;
}

/**
 * Admits visitors, keeps track of who is where, and handles their messages. The hooks see every change, whether it
 * comes from a request, from a moderator, or from the end of the connection.
 */
export function chatRouter(actions: ChatActions): SocketRouter<Visitor> {
	const { node, here, cluster, bans, tellWhoIsHere, isKey, restart } = actions;
	return new SocketRouter<Visitor>()
		.authenticate(introduce(isKey, bans))
		.onOpen(({ state: { person } }) => here.come(person))
		.onClose(({ state: { person } }) => here.go(person))
		.onSubscribe(({ state: { person } }, topic) => {
			const room = roomOf(topic);
			if (room === undefined) return;
			here.enter(person, room);
			tellWhoIsHere(room);
		})
		.onUnsubscribe(({ state: { person } }, topic) => {
			const room = roomOf(topic);
			if (room === undefined) return;
			here.leave(person, room);
			tellWhoIsHere(room);
		})
		.on(Enter, async (ctx) => {
			const { person, isModerator } = ctx.state;
			await goTo(ctx, ctx.data.room);
			return { node, you: person, isModerator };
		})
		.on(Remove, ({ state, data: { id, room } }) => removeFrom(cluster, { socketId: id }, room, state.person.name), {
			guards: [({ state }) => state.isModerator],
		})
		.on(Rename, ({ state: { person }, data: { name }, topics }) => {
			person.name = name;
			for (const room of [...topics].map(roomOf)) if (room !== undefined) tellWhoIsHere(room);
			return { name };
		})
		.on(Say, async (ctx) => {
			const { id, room, text } = ctx.data;
			mustBeIn(ctx, room);
			const at = Date.now();
			const said = { id, from: ctx.state.person, node: node.name, text, at };
			// A page that receives no reply sends the message again with the same id.
			await ctx.emit(Said, saidTopicOf(room), said, { idempotencyKey: id });
			return { at };
		})
		.on(Type, (ctx) => {
			mustBeIn(ctx, ctx.data.room);
			return ctx.emit(Typing, topicOf(ctx.data.room), { from: ctx.state.person }, { except: 'self' });
		})
		.on(Restart, ({ data: { id } }) => {
			if (id === node.id) restart();
		});
}
