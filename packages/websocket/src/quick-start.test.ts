import { connectClient, type TestClient, until } from '@orijs/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InProcWsProvider, SocketCoordinator, type SocketData } from './index.ts';

/** The quick start of the README, apart from the port, the ids it collects, and a type for `ws.data`. */
describe('the quick start', () => {
	let provider: InProcWsProvider;
	let coordinator: SocketCoordinator;
	let server: Bun.Server<SocketData>;
	let ids: string[];

	beforeEach(async () => {
		ids = [];
		provider = new InProcWsProvider();
		coordinator = new SocketCoordinator({ provider });
		server = Bun.serve<SocketData>({
			port: 0,
			fetch(req, server) {
				if (req.headers.get('upgrade') === 'websocket') {
					const socketId = crypto.randomUUID();
					ids.push(socketId);
					server.upgrade(req, {
						data: { socketId, data: { name: `user ${ids.length}` }, topics: new Set() },
					});
					return;
				}
				return new Response('Hello');
			},
			websocket: {
				open(ws) {
					void coordinator.addConnection(ws);
				},
				message() {},
				close(ws) {
					coordinator.removeConnection(ws.data.socketId);
				},
			},
		});
		provider.setServer(server);
		await provider.start();
	});

	afterEach(async () => {
		await provider.stop();
		await server.stop(true);
	});

	async function connect(): Promise<{ id: string; client: TestClient }> {
		const client = await connectClient(`ws://localhost:${server.port}`);
		return { id: ids.at(-1) ?? '', client };
	}

	it('answers plain requests', async () => {
		expect(await (await fetch(server.url)).text()).toBe('Hello');
	});

	it('sends to one client only', async () => {
		const [one, other] = [await connect(), await connect()];
		await provider.send(one.id, 'to one');
		await provider.broadcast('to all');
		await Promise.all([one, other].map(({ client }) => client.next((message) => message === 'to all')));

		expect(one.client.messages).toEqual(['to one', 'to all']);
		expect(other.client.messages).toEqual(['to all']);
	});

	it('publishes to subscribers until they unsubscribe', async () => {
		const [inside, outside] = [await connect(), await connect()];
		await coordinator.subscribeToTopic(inside.id, 'chat:room-123');
		const subscribers = coordinator.getTopicSubscribers('chat:room-123');
		for (const id of subscribers) expect(id).toBe(inside.id);
		expect(subscribers.size).toBe(1);
		await provider.publish('chat:room-123', 'message');
		await coordinator.unsubscribeFromTopic(inside.id, 'chat:room-123');
		await provider.publish('chat:room-123', 'too late');
		await provider.broadcast('message to all');
		await Promise.all([inside, outside].map(({ client }) => client.next((message) => message === 'message to all')));

		expect(inside.client.messages).toEqual(['message', 'message to all']);
		expect(outside.client.messages).toEqual(['message to all']);
	});

	it('tracks a socket from open to close', async () => {
		const { id, client } = await connect();
		await coordinator.subscribeToTopic(id, 'topic');
		expect(provider.isConnected(id)).toBe(true);
		expect(provider.getConnectionCount()).toBe(1);
		expect(provider.getTopicSubscriberCount('topic')).toBe(1);
		expect(coordinator.getConnectionCount()).toBe(1);
		expect(coordinator.getConnection<{ name: string }>(id)?.data.data.name).toBe('user 1');

		await client.close();
		await until(() => !provider.isConnected(id), { what: 'the server sees the close' });
		expect(provider.getConnectionCount()).toBe(0);
		expect(provider.getTopicSubscriberCount('topic')).toBe(0);
		expect(provider.getTopicCount()).toBe(0);
		expect(coordinator.getConnection(id)).toBeUndefined();
		expect([...coordinator.getTopicSubscribers('topic')]).toEqual([]);
	});

	it('forgets a client whose connection broke', async () => {
		const { id, client } = await connect();
		await coordinator.subscribeToTopic(id, 'topic');
		await client.terminate();
		await until(() => provider.getConnectionCount() === 0, { what: 'the server sees the end' });

		expect([provider.isConnected(id), provider.getTopicCount()]).toEqual([false, 0]);
	});
});
