import { SocketRouter } from '@orijs/core';
import type { Cluster } from '@orijs/websocket';
import type { Bans } from './bans.ts';
import { goTo, introduce, mustBeIn, type Visitor } from './entering.ts';
import { Enter, type Node, Remove, Rename, Restart, roomOf, Said, Say, saidTopicOf } from './messages.ts';
import { removeFrom } from './removing.ts';
import type { Visitors } from './visitors.ts';

export interface ChatActions {
	readonly node: Node;
	readonly visitors: Visitors;
	readonly cluster: Cluster;
	readonly bans: Bans;
	/** Whether this is the moderators' key. */
	isKey(key: unknown): boolean;
	/** Begins to restart this node. */
	restart(): void;
}

/** Admits visitors, and handles their messages. */
export function chatRouter(actions: ChatActions): SocketRouter<Visitor> {
	const { node, visitors, cluster, bans, isKey, restart } = actions;
	return new SocketRouter<Visitor>()
		.authenticate(introduce(isKey, bans))
		.onOpen(({ socketId, state: { person } }) => visitors.come(socketId, person))
		.onClose(({ socketId }) => visitors.go(socketId))
		.on(Enter, async (ctx) => {
			const { person, isModerator } = ctx.state;
			await goTo(ctx, ctx.data.room);
			return { node, you: person, isModerator };
		})
		.on(Remove, ({ state, data: { id, room } }) => removeFrom(cluster, { userId: id }, room, state.person.name), {
			guards: [({ state }) => state.isModerator],
		})
		.on(Rename, async (ctx) => {
			const { name } = ctx.data;
			ctx.state.person.name = name;
			const rooms = [...ctx.topics].filter((topic) => roomOf(topic) !== undefined);
			await Promise.all(rooms.map((topic) => ctx.updatePresence(topic, { name })));
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
		.on(Restart, ({ data: { id } }) => {
			if (id === node.id) restart();
		});
}
