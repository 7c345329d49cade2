import { until } from '@orijs/testkit';
import type { Position } from '@orijs/websocket/protocol';
import { describe, expect, it } from 'vitest';
import type { Application } from '../index.ts';
import { request, serveRights } from '../test-support/rights-server.ts';
import { ACCEPTED, parse } from '../test-support/typed-client.ts';

/** A server whose `authorize` refuses everything until told otherwise, with a topic that has a past. */
async function serving() {
	const asked: string[] = [];
	const rights = { allowed: false };
	const authorize = {
		subscribe(_: unknown, topic: string) {
			asked.push(topic);
			return rights.allowed;
		},
	};
	const server = await serveRights(authorize);
	for (const text of ['"1"', '"2"', '"3"']) await server.app.socket.publish('log:t', text);
	return { ...server, asked, rights, ...(await server.connect()) };
}

/** Resolves with the position of a topic's first message. */
async function firstPosition(app: Application): Promise<Position> {
	const { epoch, messages } = await app.socket.history('log:t');
	return { epoch, offset: messages[0]?.position.offset ?? 0 };
}

/** The texts of a topic with history that a client has received. */
function receivedTexts(texts: readonly string[]): unknown[] {
	return texts
		.map(parse)
		.filter(({ name }) => name === '@text')
		.map(({ data }) => data);
}

describe('a topic that the server has subscribed a client to', () => {
	it.each(['t', 'log:t'])('needs no authorization to subscribe to: %s', async (topic) => {
		const { asked, client, ws } = await serving();
		await ws.subscribe(topic);
		expect(await request(client, '@subscribe', { topic })).toEqual(ACCEPTED);
		expect(asked).toEqual([]);
		await ws.unsubscribe(topic);
		expect(await request(client, '@subscribe', { topic })).toMatchObject({ code: 'forbidden' });
		expect(asked).toEqual([topic]);
	});

	it('needs none to give back what was missed, or to read its history', async () => {
		const { app, asked, client, ws } = await serving();
		await ws.subscribe('log:t');
		const since = await firstPosition(app);
		expect(await request(client, '@subscribe', { topic: 'log:t', since })).toEqual(ACCEPTED);
		await until(() => receivedTexts(client.texts).length === 2, { what: 'the missed messages arrive' });
		expect(receivedTexts(client.texts)).toEqual(['"2"', '"3"']);
		const page = (await request(client, '@history', { topic: 'log:t' })) as { messages: unknown[] };
		expect([page.messages.length, asked]).toEqual([3, []]);
	});
});

describe('a topic that the server has subscribed a client to, without the past', () => {
	it('gives no earlier messages to clients that may not subscribe by themselves, who remain in it', async () => {
		const { asked, app, client, ws } = await serving();
		await ws.subscribe('log:t', { past: false });
		const since = await firstPosition(app);
		expect(await request(client, '@subscribe', { topic: 'log:t' })).toEqual(ACCEPTED);
		expect(asked).toEqual([]);
		await request(client, '@subscribe', { topic: 'log:t', since });
		await request(client, '@subscribe', { topic: 'log:t', rewind: 3 });
		expect(await request(client, '@history', { topic: 'log:t' })).toEqual({
			code: 'forbidden',
			message: 'Not authorized to read log:t',
		});
		await app.socket.publish('log:t', '"4"');
		await client.next((frame) => String(frame).includes('"4'));
		expect([receivedTexts(client.texts), asked.length, [...ws.data.topics]]).toEqual([['"4"'], 3, ['log:t']]);
	});

	it('gives them to clients that authorize allows to subscribe', async () => {
		const { client, rights, ws } = await serving();
		await ws.subscribe('log:t', { past: false });
		rights.allowed = true;
		expect(await request(client, '@subscribe', { topic: 'log:t', rewind: 2 })).toEqual(ACCEPTED);
		await until(() => receivedTexts(client.texts).length === 2, { what: 'the missed messages arrive' });
		expect(receivedTexts(client.texts)).toEqual(['"2"', '"3"']);
		const page = (await request(client, '@history', { topic: 'log:t' })) as { messages: unknown[] };
		expect(page.messages).toHaveLength(3);
	});
});
