import type { Authenticate, MessageContext } from '@orijs/core';
import { SocketError } from '@orijs/websocket';
import type { Visitor } from './chat-router.ts';
import { Introduction, saidTopicOf, topicOf } from './messages.ts';

/** What a page is told of a room that it leaves by entering another one. */
const LEFT = { code: 'left', message: 'You have gone to another room' };

/**
 * Admits every visitor who gives a name. One who was in a room, before the connection was lost, is in it again before
 * the client is ready: what they missed follows, and what they wrote meanwhile arrives in it.
 */
export function introduce(moderatorKey: string): Authenticate<Visitor> {
	return async (ctx) => {
		const { success, data } = Introduction.safeParse(ctx.auth);
		if (!success) return false;
		ctx.state.person = { id: ctx.socketId, name: data.name };
		ctx.state.isModerator = data.key === moderatorKey;
		if (data.room !== undefined) await Promise.all(topicsOf(data.room).map((topic) => ctx.subscribe(topic)));
		return true;
	};
}

/** Subscribes a visitor to the topics of a room, and unsubscribes them from those of the room that they leave. */
export async function goTo({ topics, ws }: MessageContext, room: string): Promise<void> {
	const wanted = topicsOf(room);
	const left = [...topics].filter((topic) => !wanted.includes(topic));
	const entered = wanted.filter((topic) => !topics.has(topic));
	await Promise.all([
		...left.map((topic) => ws.unsubscribe(topic, LEFT)),
		...entered.map((topic) => ws.subscribe(topic)),
	]);
}

/** @throws {SocketError} `not_in_room` */
export function mustBeIn({ topics }: MessageContext, room: string): void {
	if (!topics.has(topicOf(room))) throw new SocketError('not_in_room', 'You are not in this room');
}

function topicsOf(room: string): string[] {
	return [topicOf(room), saidTopicOf(room)];
}
