import { connectClient, until } from '@orijs/testkit';
import { InProcWsProvider } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { Application } from '../index.ts';
import { serve } from '../test-support/serve.ts';

describe('when a socket closes', () => {
	it('its close handler sees its topics, though it is no longer subscribed or counted', async () => {
		const provider = new InProcWsProvider();
		const seen = Promise.withResolvers<unknown>();
		const app = new Application().websocket(provider).onWebSocket({
			async open(ws) {
				await Promise.all([ws.subscribe('left'), ws.subscribe('alone'), ws.subscribe('shared')]);
				await ws.unsubscribe('left');
				ws.send('subscribed');
			},
			close(ws, code, reason) {
				seen.resolve({
					code,
					reason,
					topics: [...ws.data.topics],
					isConnected: provider.isConnected(ws.data.socketId),
					connections: provider.getConnectionCount(),
					topicCount: provider.getTopicCount(),
					alone: provider.getTopicSubscriberCount('alone'),
					shared: provider.getTopicSubscriberCount('shared'),
				});
			},
		});
		const { ws } = await serve(app);
		const stays = await connectClient(ws);
		const leaves = await connectClient(ws);
		await Promise.all([stays.next(), leaves.next()]);
		const [first] = provider.getConnections();
		await provider.unsubscribe(String(first?.data.socketId), 'alone');

		await leaves.close(4000, 'bye');
		expect(await seen.promise).toEqual({
			code: 4000,
			reason: 'bye',
			topics: ['alone', 'shared'],
			isConnected: false,
			connections: 1,
			topicCount: 1,
			alone: 0,
			shared: 1,
		});
	});

	it('its close handler can notify the clients that remain', async () => {
		const app = new Application().websocket().onWebSocket({
			async open(ws) {
				await ws.subscribe('room');
				ws.send('subscribed');
			},
			async close(ws) {
				for (const topic of ws.data.topics) await app.socket.publish(topic, 'somebody left');
			},
		});
		const { ws } = await serve(app);
		const stays = await connectClient(ws);
		const leaves = await connectClient(ws);
		await Promise.all([stays.next(), leaves.next()]);

		await leaves.close();
		expect(await stays.next()).toBe('somebody left');
	});

	it('the code is 1006 if there was no close frame', async () => {
		const closed = Promise.withResolvers<number>();
		const app = new Application().websocket().onWebSocket({ close: (_, code) => closed.resolve(code) });
		const { ws } = await serve(app);

		await (await connectClient(ws)).terminate();
		expect(await closed.promise).toBe(1006);
	});

	it('it is removed even without handlers', async () => {
		const provider = new InProcWsProvider();
		const { ws } = await serve(new Application().websocket(provider));
		const client = await connectClient(ws);
		expect(provider.getConnectionCount()).toBe(1);

		await client.close();
		await until(() => provider.getConnectionCount() === 0, { what: 'the socket is removed' });
	});

	it('nothing remains of 200 sockets, however they were closed', async () => {
		const provider = new InProcWsProvider();
		let closed = 0;
		const app = new Application().websocket(provider).onWebSocket({
			async open(ws) {
				await Promise.all([ws.subscribe('all'), ws.subscribe(`own:${ws.data.socketId}`)]);
				ws.send('subscribed');
			},
			message(ws) {
				ws.close(4000);
			},
			close() {
				closed++;
			},
		});
		const { ws } = await serve(app);

		const clients = await Promise.all(Array.from({ length: 200 }, () => connectClient(ws)));
		await Promise.all(clients.map((client) => client.next()));
		expect([provider.getConnectionCount(), provider.getTopicCount()]).toEqual([200, 201]);
		expect(provider.getTopicSubscriberCount('all')).toBe(200);

		await Promise.all(
			clients.map((client, i) => {
				if (i % 3 === 0) return client.close();
				if (i % 3 === 1) return client.terminate();
				client.send('close me');
				return client.closed;
			}),
		);
		await until(() => closed === 200, { what: 'the server has noticed all closes' });
		expect([provider.getConnectionCount(), provider.getTopicCount()]).toEqual([0, 0]);
		expect(provider.getTopicSubscriberCount('all')).toBe(0);
	});
});
