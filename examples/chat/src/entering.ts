import type { Authenticate, MessageContext } from '@orijs/core';
import { SocketError } from '@orijs/websocket';
import type { Bans } from './bans.ts';
import { Introduction, type Person, topicOf, topicsOf } from './messages.ts';

/** What a page receives about the room that its visitor leaves for another one. */
const LEFT = { code: 'left', message: 'You have gone to another room' };

/** The state of a connection: what handlers know about the sender of a message. */
export interface Visitor {
	person: Person;
	isModerator: boolean;
}

/**
 * Returns the user id of a browser. Everyone in a room sees it, so it must not be what the browser proves itself with.
 */
export function userIdOf(visitor: string): string {
	return Bun.randomUUIDv5(visitor, 'oid');
}

/**
 * Admits every visitor who gives a name, unless they are banned. One who was in a room, before the connection was lost,
 * is in it again before the client is ready: what they missed follows, and what they wrote meanwhile arrives in it.
 */
export function introduce(isKey: (key: unknown) => boolean, bans: Bans): Authenticate<Visitor> {
	return async (ctx) => {
		const { success, data } = Introduction.safeParse(ctx.auth);
		if (!success) return false;
		const id = userIdOf(data.visitor);
		ctx.userId = id;
		if ((await bans.of(id)) !== undefined) throw new SocketError('banned', 'You are banned');
		ctx.state.person = { id, name: data.name };
		ctx.state.isModerator = isKey(data.key);
		if (data.room !== undefined) await Promise.all(topicsOf(data.room).map((topic) => ctx.subscribe(topic)));
		return true;
	};
}

/** Subscribes a visitor to the topics of a room, and unsubscribes them from those of the room that they leave. */
export async function goTo(ctx: MessageContext, room: string): Promise<void> {
	const wanted = topicsOf(room);
	const left = [...ctx.topics].filter((topic) => !wanted.includes(topic));
	const entered = wanted.filter((topic) => !ctx.topics.has(topic));
	await Promise.all([
		...left.map((topic) => ctx.unsubscribe(topic, LEFT)),
		...entered.map((topic) => ctx.subscribe(topic)),
	]);
}

/** @throws {SocketError} `not_in_room` */
export function mustBeIn({ topics }: MessageContext, room: string): void {
	if (!topics.has(topicOf(room))) throw new SocketError('not_in_room', 'You are not in this room');
}
