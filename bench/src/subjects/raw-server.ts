import type { Server, ServerWebSocket } from 'bun';
import { answerByHand } from './chat-by-hand.ts';
import type { Subject } from './subject.ts';
import { rewindOf, topicsOf } from './client-url.ts';

interface Data {
	readonly topics: readonly string[];
	/** The number of past messages per topic for which the client asks. */
	readonly rewind: number;
}

export interface RawServerOptions {
	/** Called when a topic gets its first subscriber. Resolves once messages from other nodes reach this node. */
	readonly onNewTopic?: (topic: string) => Promise<unknown>;
	/** Called for each client. Resolves when the client is ready. */
	readonly onOpen?: (ws: ServerWebSocket<Data>) => Promise<unknown>;
}

/** Starts a subject on plain `Bun.serve`. */
export function rawServer({ onNewTopic, onOpen }: RawServerOptions = {}): {
	readonly server: Server<Data>;
	readonly subject: Omit<Subject, 'publish'>;
} {
	const sockets: ServerWebSocket<Data>[] = [];
	const subscribed = new Map<string, Promise<unknown>>();
	let ready = 0;

	function subscribe(ws: ServerWebSocket<Data>, topic: string): Promise<unknown> | undefined {
		ws.subscribe(topic);
		if (onNewTopic === undefined) return undefined;
		const first = subscribed.get(topic) ?? onNewTopic(topic);
		subscribed.set(topic, first);
		return first;
	}

	const server = Bun.serve<Data>({
		port: 0,
		hostname: '127.0.0.1',
		fetch(req, server) {
			if (server.upgrade(req, { data: { topics: topicsOf(req.url), rewind: rewindOf(req.url) } })) return undefined;
			return new Response('Not a WebSocket handshake', { status: 400 });
		},
		websocket: {
			async open(ws) {
				sockets.push(ws);
				for (const topic of ws.data.topics) await subscribe(ws, topic);
				if (onOpen !== undefined) await onOpen(ws);
				ready++;
			},
			message(ws, text) {
				const answer = answerByHand(text as string);
				if (typeof answer === 'string') ws.send(answer);
				else void answer.then((late) => ws.send(late));
			},
		},
	});
	const client = (index: number): ServerWebSocket<Data> => sockets[index] as ServerWebSocket<Data>;
	return {
		server,
		subject: {
			port: portOf(server),
			path: '/',
			readyClients: () => ready,
			subscribe: (index, topic) => subscribe(client(index), topic),
			unsubscribe: (index, topic) => client(index).unsubscribe(topic),
		},
	};
}

export function portOf({ port }: { readonly port: number | undefined }): number {
	if (port === undefined) throw new Error('The server is not listening');
	return port;
}
