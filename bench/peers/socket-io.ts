/**
 * Runs Socket.IO as its users would set it up: topics are rooms, and a message is the event `m`. Runs on Bun and on
 * Node.
 */
import { Server, type Socket } from 'socket.io';
import { serve } from '../src/subjects/serve.ts';
import { topicsOf } from '../src/subjects/client-url.ts';
import { backplane } from './socket-io-backplane.ts';
import { answerChat } from './socket-io-chat.ts';
import { listen, PATH, PING_INTERVAL_MS } from './socket-io-engine.ts';

await serve(async ({ redisPort }) => {
	const nodes = redisPort === undefined ? undefined : backplane(redisPort);
	const io = new Server({
		path: PATH,
		serveClient: false,
		transports: ['websocket'],
		perMessageDeflate: false,
		pingInterval: PING_INTERVAL_MS,
		...(nodes && { adapter: nodes.adapter }),
	});
	const sockets: Socket[] = [];
	/** The topics of each connection, kept from the handshake, because its request is released. */
	const wanted = new WeakMap<object, string[]>();
	let ready = 0;

	async function join(socket: Socket, topics: string | string[]): Promise<void> {
		await socket.join(topics);
		await nodes?.subscribed();
	}

	io.on('connection', async (socket) => {
		sockets.push(socket);
		answerChat(socket);
		const topics = wanted.get(socket.conn) ?? [];
		wanted.delete(socket.conn);
		await join(socket, topics);
		ready++;
	});
	const port = await listen(io);
	io.engine.on('connection', (connection: { request: { readonly url: string } | null }) => {
		wanted.set(connection, topicsOf(connection.request?.url ?? ''));
		// Releases the first request, as Socket.IO's page on memory usage recommends.
		connection.request = null;
	});
	await nodes?.subscribed();
	return {
		port,
		path: `${PATH}?EIO=4&transport=websocket`,
		hello: '40',
		readyClients: () => ready,
		publish: (topic, payload) => io.to(topic).emit('m', payload),
		subscribe: (client, topic) => join(sockets[client] as Socket, topic),
		unsubscribe: (client, topic) => sockets[client]?.leave(topic),
	};
});
