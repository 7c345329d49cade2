import { describe, expect, it } from 'vitest';
import { twoNodes } from '../test-support/two-nodes.ts';

describe('pub/sub of a socket, with two applications on one backend', () => {
	it('messages from another node arrive once the promise of ws.subscribe has resolved', async () => {
		const [here, there] = await twoNodes();
		const { client, ws } = await here.connect();

		for (let i = 0; i < 20; i++) {
			await ws.subscribe(`topic:${i}`);
			await there.app.socket.publish(`topic:${i}`, `message ${i}`);
		}
		expect(await client.received(20)).toEqual(Array.from({ length: 20 }, (_, i) => `message ${i}`));
		expect(here.provider.getTopicSubscriberCount('topic:7')).toBe(1);
	});

	it('ws.subscribe is idempotent', async () => {
		const [here, there] = await twoNodes();
		const { client, ws } = await here.connect();

		await Promise.all([ws.subscribe('t'), ws.subscribe('t')]);
		await there.app.socket.publish('t', 'one');
		await here.app.socket.publish('t', 'two');
		await there.app.socket.publish('t', 'marker');
		await client.next((message) => message === 'marker');
		expect(client.texts.filter((text) => text !== 'marker').toSorted()).toEqual(['one', 'two']);
	});

	it('ws.unsubscribe ends it for messages from every node', async () => {
		const [here, there] = await twoNodes();
		const { client, ws } = await here.connect();
		await Promise.all([ws.subscribe('left'), ws.subscribe('kept')]);

		await ws.unsubscribe('left');
		for (const { app } of [here, there]) {
			await app.socket.publish('left', 'not for me');
			await app.socket.publish('kept', 'marker');
		}
		expect(await client.received(2)).toEqual(['marker', 'marker']);
		expect([...ws.data.topics]).toEqual(['kept']);
	});

	it('ws.publish reaches the topic’s subscribers on both nodes, but not the socket itself', async () => {
		const [here, there] = await twoNodes();
		const sender = await here.connect();
		const listeners = [await here.connect(), await there.connect()];
		const outsiders = [await here.connect(), await there.connect()];
		await Promise.all([sender, ...listeners].map(({ ws }) => ws.subscribe('t')));
		await Promise.all(outsiders.map(({ ws }) => ws.subscribe('other')));

		await sender.ws.publish('t', 'news');
		await here.app.socket.broadcast('marker');
		for (const { client } of listeners) expect(await client.received(2)).toEqual(['news', 'marker']);
		for (const { client } of [sender, ...outsiders]) expect(await client.received(1)).toEqual(['marker']);
	});

	it('a socket can publish to a topic without being subscribed to it', async () => {
		const [here, there] = await twoNodes();
		const sender = await here.connect();
		const listeners = [await here.connect(), await there.connect()];
		await Promise.all(listeners.map(({ ws }) => ws.subscribe('t')));

		await sender.ws.publish('t', 'from outside');
		for (const { client } of listeners) expect(await client.next()).toBe('from outside');
	});

	it('publishText sends text frames, publishBinary binary frames, and publish either', async () => {
		const [here, there] = await twoNodes();
		const sender = await here.connect();
		const listeners = [await here.connect(), await there.connect()];
		await Promise.all(listeners.map(({ ws }) => ws.subscribe('t')));

		const { ws } = sender;
		await ws.publishText('t', 'text');
		await ws.publishBinary('t', Uint8Array.of(0, 1, 255));
		await ws.publishBinary('t', Uint8Array.of(2, 3).buffer);
		await ws.publish('t', 'text again');
		await ws.publish('t', Uint8Array.of(9, 4, 9).subarray(1, 2));
		await ws.publish('t', '');
		const sent = ['text', Uint8Array.of(0, 1, 255), Uint8Array.of(2, 3), 'text again', Uint8Array.of(4), ''];
		for (const { client } of listeners) expect(await client.received(sent.length)).toEqual(sent);
	});

	it('a refused call rejects with the reason, changes nothing, and need not be awaited', async () => {
		const [here] = await twoNodes();
		const { client, ws } = await here.connect();

		void ws.subscribe('no spaces');
		void ws.publish('no spaces', 'x');
		await expect(ws.subscribe('no spaces')).rejects.toThrow('Invalid topic "no spaces"');
		await expect(ws.unsubscribe('no spaces')).rejects.toThrow('Invalid topic');
		await expect(ws.publish('no spaces', 'x')).rejects.toThrow('Invalid topic');
		await expect(ws.publish('t', { no: 'object' } as never)).rejects.toThrow('Invalid payload');
		expect([...ws.data.topics]).toEqual([]);

		await client.close();
		await expect(ws.subscribe('t')).rejects.toThrow('is not connected');
	});
});
