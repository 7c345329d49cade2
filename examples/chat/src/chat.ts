import { type AppSocket, Application } from '@orijs/core';
import { BusUnavailableError, type WebSocketProvider } from '@orijs/websocket';
import type { FromServer, Join, Say } from './protocol.ts';
import { BadMessageError, readMessage } from './read-message.ts';

export interface ChatOptions {
	/** What this server process is called on the page. */
	readonly node: string;
	/** What connects it to other nodes. Default: nothing does. */
	readonly provider?: WebSocketProvider;
}

/** What the server knows about a connection. */
interface Visitor {
	/** Tells two visitors of one name apart. Not the socket's id, which is the server's own business. */
	readonly id: string;
	name: string;
	room: string | undefined;
}

type Socket = AppSocket<Visitor>;

/** The chat without its page: rooms are topics, and each message to a room is one publish. */
export function createChat({ node, provider }: ChatOptions): Application<Visitor> {
	// Whoever runs it also stops it, as cluster.ts does by ending the connection to it.
	const app = new Application({ signals: false }).websocket<Visitor>(provider, {
		upgrade: () => ({ id: crypto.randomUUID(), name: '', room: undefined }),
	});

	return app.onWebSocket({
		open(ws) {
			tell(ws, { type: 'welcome', node, you: ws.data.data.id });
		},
		async message(ws, frame) {
			try {
				const message = readMessage(frame);
				await (message.type === 'join' ? join(ws, message) : say(ws, message));
			} catch (error) {
				tell(ws, { type: 'problem', reason: reasonOf(error) });
				if (!isExpected(error)) throw error;
			}
		},
		close: leave,
	});

	async function join(ws: Socket, { name, room }: Join): Promise<void> {
		leave(ws);
		const visitor = ws.data.data;
		visitor.name = name;
		visitor.room = room;
		const joined = ws.subscribe(topicOf(room));
		void ws.publish(topicOf(room), encode(event(visitor, room, 'entered')));
		try {
			await joined;
		} catch (error) {
			if (visitor.room === room) leave(ws);
			throw error;
		}
		// Unless they went on to the next room while this one was opened.
		if (visitor.room === room) tell(ws, { type: 'joined', name, room });
	}

	function leave(ws: Socket): void {
		const visitor = ws.data.data;
		const { room } = visitor;
		if (room === undefined) return;
		visitor.room = undefined;
		void ws.unsubscribe(topicOf(room));
		void app.socket.publish(topicOf(room), encode(event(visitor, room, 'left')));
	}

	async function say(ws: Socket, { text }: Say): Promise<void> {
		const visitor = ws.data.data;
		if (visitor.room === undefined) throw new BadMessageError('Join a room first.');
		await app.socket.publish(topicOf(visitor.room), encode({ ...event(visitor, visitor.room, 'said'), text }));
	}

	function event<TType extends string>({ id, name }: Visitor, room: string, type: TType) {
		return { type, room, from: id, name, node, at: Date.now() };
	}
}

function topicOf(room: string): string {
	return `room:${room}`;
}

function tell(ws: Socket, message: FromServer): void {
	ws.send(encode(message));
}

function encode(message: FromServer): string {
	return JSON.stringify(message);
}

function isExpected(error: unknown): boolean {
	return error instanceof BadMessageError || error instanceof BusUnavailableError;
}

function reasonOf(error: unknown): string {
	if (error instanceof BadMessageError) return error.message;
	if (error instanceof BusUnavailableError)
		return 'Only people on this node got that: the other nodes can’t be reached.';
	return 'That did not work. Try again.';
}
