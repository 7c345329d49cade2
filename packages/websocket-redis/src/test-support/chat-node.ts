// A node of the two-process tests: a plain Bun server on a Redis provider, controlled by its clients and the test.

import { answerRequests } from '@orijs/testkit';
import { type SocketData, SocketCoordinator, SocketMessage } from '@orijs/websocket';
import { createRedisWsProvider } from '../index.ts';

const provider = createRedisWsProvider({ connection: String(process.env.REDIS_URL), graceMs: 50 });
const coordinator = new SocketCoordinator({ provider });

const Noted = SocketMessage.define({
	name: 'note.added',
	data: {
		'~standard': {
			version: 1,
			vendor: 'test',
			validate: (value: unknown) =>
				typeof value === 'string' ? { value } : { issues: [{ message: 'must be a string', path: ['note'] }] },
		},
	},
});

const server = Bun.serve<SocketData>({
	port: 0,
	fetch(req, server) {
		const data = { socketId: crypto.randomUUID(), data: {}, topics: new Set<string>() };
		return server.upgrade(req, { data }) ? undefined : new Response('upgrade failed', { status: 400 });
	},
	websocket: {
		async open(ws) {
			await coordinator.addConnection(ws);
			ws.send(`id ${ws.data.socketId}`);
		},
		async message(ws, message) {
			const [verb, topic = ''] = String(message).split(' ');
			if (verb === 'subscribe') await coordinator.subscribeToTopic(ws.data.socketId, topic);
			if (verb === 'unsubscribe') await coordinator.unsubscribeFromTopic(ws.data.socketId, topic);
			ws.send(`${verb} ${topic}`);
		},
		close(ws) {
			coordinator.removeConnection(ws.data.socketId);
		},
	},
});
provider.setServer(server);
await provider.start();

/** The requests of a test to a node. */
export type NodeRequest =
	| { readonly do: 'where' }
	| { readonly do: 'publish'; readonly topic: string; readonly payloads: readonly (string | Uint8Array<ArrayBuffer>)[] }
	| { readonly do: 'send'; readonly socketId: string; readonly payload: string | Uint8Array<ArrayBuffer> }
	| { readonly do: 'broadcast'; readonly payload: string | Uint8Array<ArrayBuffer> }
	| { readonly do: 'emit'; readonly topic: string; readonly note: string }
	| {
			readonly do: 'toggle';
			readonly socketId: string;
			readonly topic: string;
			readonly times: number;
			readonly end: 'subscribed' | 'unsubscribed';
	  }
	| { readonly do: 'counts'; readonly topic: string }
	| { readonly do: 'stop' };

answerRequests(async (request) => {
	const message = request as NodeRequest;
	switch (message.do) {
		case 'where':
			return `ws://localhost:${server.port}`;
		case 'publish':
			return void (await Promise.all(message.payloads.map((payload) => provider.publish(message.topic, payload))));
		case 'send':
			return provider.send(message.socketId, message.payload).then(
				() => 'sent',
				(error: Error) => error.name,
			);
		case 'broadcast':
			return provider.broadcast(message.payload);
		case 'emit':
			return provider.emit(Noted, message.topic, message.note).then(
				() => 'emitted',
				(error: Error) => error.message,
			);
		case 'toggle': {
			// Not awaited: the last call must win.
			for (let i = 0; i < message.times; i++) {
				void coordinator.subscribeToTopic(message.socketId, message.topic);
				void coordinator.unsubscribeFromTopic(message.socketId, message.topic);
			}
			if (message.end === 'subscribed') await coordinator.subscribeToTopic(message.socketId, message.topic);
			return;
		}
		case 'counts':
			return { sockets: coordinator.getConnectionCount(), inTopic: provider.getTopicSubscriberCount(message.topic) };
		case 'stop':
			await provider.stop();
			await server.stop(true);
			return;
	}
});
