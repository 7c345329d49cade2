import type { Server, ServerWebSocket } from 'bun';
import { answerByHand } from './chat-by-hand.ts';
import type { Subject } from './subject.ts';
import { rewindOf, topicsOf } from './client-url.ts';

interface Data {
	readonly topics: readonly string[];
	/** How many of the last messages it wants to have first. */
	readonly rewind: number;
}

export interface RawServerOptions {
	/** Called when the first client joins a topic; resolves when messages of other nodes will arrive. */
	readonly onFirst?: (topic: string) => Promise<unknown>;
	/** Called for each client; resolves when it is ready. */
	readonly onOpen?: (ws: ServerWebSocket<Data>) => Promise<unknown>;
}

/** A subject on Bun's server with nothing around it. */
export function rawServer({ onFirst, onOpen }: RawServerOptions = {}): {
	readonly server: Server<Data>;
	readonly subject: Omit<Subject, 'publish'>;
} {
	const sockets: ServerWebSocket<Data>[] = [];
	const joined = new Map<string, Promise<unknown>>();
	let ready = 0;

	function join(ws: ServerWebSocket<Data>, topic: string): Promise<unknown> | undefined {
		ws.subscribe(topic);
		if (onFirst === undefined) return undefined;
		const first = joined.get(topic) ?? onFirst(topic);
		joined.set(topic, first);
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
				for (const topic of ws.data.topics) await join(ws, topic);
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
			join: (index, topic) => join(client(index), topic),
			leave: (index, topic) => client(index).unsubscribe(topic),
		},
	};
}

export function portOf({ port }: { readonly port: number | undefined }): number {
	if (port === undefined) throw new Error('The server listens on no port');
	return port;
}
