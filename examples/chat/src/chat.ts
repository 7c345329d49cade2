import { Application } from '@orijs/core';
import { consoleLogger, InProcWsProvider, type Logger, type WebSocketProvider } from '@orijs/websocket';
import { chatRouter, type Visitor } from './chat-router.ts';
import { Here } from './here.ts';
import { BEAT_MS, Here as HereMessage, HISTORY, isRoomTopic, topicOf } from './messages.ts';

export interface ChatOptions {
	/** What this server process is called on the page. */
	readonly name: string;
	/** What connects it to other nodes, and keeps the topics of `HISTORY`. Default: a provider for this process alone. */
	readonly provider?: WebSocketProvider | undefined;
	/** Default: the console. */
	readonly logger?: Logger;
	/** Stops the application and starts another one in its place; returns before that is done. */
	restart(): void;
}

/** What is said is handled in no time; more than this only hangs. */
const GRACE_MS = 3_000;

/** The chat without its page: rooms are topics, and each node tells a room who of its own people are in it. */
export function createChat({ name, logger = consoleLogger, restart, ...options }: ChatOptions): Application<Visitor> {
	const { provider = new InProcWsProvider({ history: HISTORY, logger }) } = options;
	const node = { id: crypto.randomUUID(), name };
	const here = new Here();
	let beat: ReturnType<typeof setInterval> | undefined;

	const app = new Application({ graceMs: GRACE_MS, logger })
		.websocket<Visitor>(provider, {
			upgrade: () => ({ person: { id: crypto.randomUUID(), name: '' } }),
			authorize: { subscribe: (_ws, topic) => isRoomTopic(topic) },
			limits: { messageBytes: 8_192, messagesPerSecond: 20 },
		})
		.socketRouter(chatRouter({ node, here, tellWhoIsHere, restart }))
		.onStartup(() => {
			beat = setInterval(() => here.rooms.forEach(tellWhoIsHere), BEAT_MS);
		})
		.onShutdown(() => clearInterval(beat));

	return app.onWebSocket({
		close(ws) {
			const room = here.leave(ws.data.data.person);
			if (room !== undefined) tellWhoIsHere(room);
		},
	});

	function tellWhoIsHere(room: string): void {
		// What can't be told now, the next beat says; why it can't, is in the provider's log.
		app.socket.emit(HereMessage, topicOf(room), { node, people: here.people(room) }).catch(() => {});
	}
}
