import { type Authenticate, SocketRouter } from '@orijs/core';
import type { Here } from './here.ts';
import {
	Enter,
	Introduction,
	type Node,
	type Person,
	Rename,
	Restart,
	Said,
	Say,
	saidTopicOf,
	topicOf,
	Type,
	Typing,
} from './messages.ts';

/** The state of a connection: what handlers know about the sender of a message. */
export interface Visitor {
	readonly person: Person;
}

export interface ChatActions {
	readonly node: Node;
	readonly here: Here;
	/** Sends this node's list of people in a room to everyone in it. */
	tellWhoIsHere(room: string): void;
	/** Begins to restart this node. */
	restart(): void;
}

/** Handles the messages of visitors. */
export function chatRouter({ node, here, tellWhoIsHere, restart }: ChatActions): SocketRouter<Visitor> {
	return new SocketRouter<Visitor>()
		.authenticate(mustHaveName)
		.on(Enter, ({ state: { person }, data: { room } }) => {
			const before = here.leave(person);
			here.enter(person, room);
			if (before !== undefined && before !== room) tellWhoIsHere(before);
			tellWhoIsHere(room);
			return { node, you: person, people: here.people(room) };
		})
		.on(Rename, ({ state: { person }, data: { name } }) => {
			person.name = name;
			const room = here.roomOf(person);
			if (room !== undefined) tellWhoIsHere(room);
			return { name };
		})
		.on(Say, async (ctx) => {
			const { id, room, text } = ctx.data;
			const at = Date.now();
			const said = { id, from: ctx.state.person, node: node.name, text, at };
			// A page that receives no reply sends the message again with the same id.
			await ctx.emit(Said, saidTopicOf(room), said, { idempotencyKey: id });
			return { at };
		})
		.on(Type, (ctx) => ctx.emit(Typing, topicOf(ctx.data.room), { from: ctx.state.person }))
		.on(Restart, ({ data: { id } }) => {
			if (id === node.id) restart();
		});
}

/** Admits every visitor who gives a name. */
const mustHaveName: Authenticate<Visitor> = ({ auth, data, state }) => {
	const introduction = Introduction.safeParse(auth);
	if (!introduction.success) return false;
	const { person } = data as Visitor;
	person.name = introduction.data.name;
	state.person = person;
	return true;
};
