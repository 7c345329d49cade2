import { until } from '@orijs/testkit';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { SUBPROTOCOL } from '../protocol/subprotocol.ts';
import { SocketMessage } from '../index.ts';
import { schema } from '../test-support/schemas.ts';
import { openNode, type TestNode } from '../test-support/test-node.ts';
import type { HistoryRules } from './history-rules.ts';

const Anything = SocketMessage.define({ name: 'anything', data: schema<unknown>((value) => ({ value })) });
const HISTORY: HistoryRules = { 'chat:*': { size: 50, ttlMs: 60_000 }, exact: { size: 1, ttlMs: 60_000 } };
const node = (): Promise<TestNode> => openNode({ history: HISTORY, subprotocol: SUBPROTOCOL });
const parsed = (messages: readonly (string | Uint8Array)[]): unknown[] =>
	messages.map((text) => JSON.parse(String(text)));

describe('topics with history, in one process', () => {
	it('deliver a message before publish returns', async () => {
		const { provider, connect, settled } = await node();
		await provider.publish('chat:1', 'earlier');
		const member = await connect({ topics: new Set(['chat:1']) });
		void provider.publish('chat:1', 'first');
		member.ws.send('marker after');
		await settled(member);
		expect(String(member.client.messages[0])).toContain('"first"');
	});

	it('give back dates and bytes as they were emitted', async () => {
		const { provider } = await node();
		const data = { at: new Date(5), photo: Uint8Array.of(0, 255), rows: [{ raw: Uint8Array.of(7).buffer }] };
		await provider.emit(Anything, 'chat:1', data);
		await provider.publish('chat:1', Uint8Array.of(1));
		const { messages } = await provider.history('chat:1');
		expect(messages.map((message) => message.data)).toStrictEqual([data, Uint8Array.of(1)]);
		expect(messages[0]).not.toHaveProperty('values');
	});

	it('publish once per idempotency key and topic', async () => {
		const { provider } = await node();
		for (const topic of ['chat:1', 'chat:1', 'chat:2']) await provider.publish(topic, 'x', { idempotencyKey: 'k' });
		await provider.publish('chat:1', 'y', { idempotencyKey: 'l' });
		const texts = async (topic: string): Promise<unknown[]> =>
			(await provider.history(topic)).messages.map(({ data }) => data);
		expect([await texts('chat:1'), await texts('chat:2')]).toEqual([['x', 'y'], ['x']]);
	});

	it('can be read page by page, from any position', async () => {
		const { provider } = await node();
		const empty = await provider.history('chat:1');
		expect(empty).toMatchObject({ messages: [], offset: 0, recovered: true });
		for (let n = 0; n < 25; n++) await provider.publish('chat:1', `${n}`);
		const seen: unknown[] = [];
		let since = { epoch: empty.epoch, offset: empty.offset };
		for (let pages = 0; pages < 4; pages++) {
			const page = await provider.history('chat:1', { since, limit: 10 });
			expect(page.recovered).toBe(true);
			seen.push(...page.messages.map(({ data }) => data));
			since = { epoch: page.epoch, offset: page.offset };
		}
		expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => `${n}`));
		const last = await provider.history('chat:1', { limit: 2 });
		expect(last.messages.map(({ data }) => data)).toEqual(['23', '24']);
	});

	it('can be loaded backwards over HTTP, while messages arrive', async () => {
		const { provider, connect } = await node();
		const server = Bun.serve({
			port: 0,
			routes: {
				'/history/:topic': async (req) => {
					const { epoch, offset } = Object.fromEntries(new URL(req.url).searchParams);
					const before = epoch === undefined ? undefined : { epoch, offset: Number(offset) };
					const { messages, hasMore } = await provider.history(req.params.topic, { before, limit: 4 });
					return Response.json({ messages, hasMore });
				},
			},
		});
		onTestFinished(() => server.stop(true));
		for (let n = 0; n < 10; n++) await provider.publish('chat:1', `${n}`);
		const { client, id } = await connect();
		await provider.resume(id, 'chat:1', { rewind: 2 });
		await until(() => client.texts.filter((text) => text.includes('@text')).length === 2, {
			what: 'the latest messages arrive',
		});
		const shown = client.texts
			.filter((text) => text.includes('@text'))
			.map((text) => JSON.parse(text) as { data: string; position: { epoch: string; offset: number } });
		for (let hasMore = true; hasMore;) {
			const { epoch, offset } = shown[0]!.position;
			const page = (await (await fetch(`${server.url.href}history/chat:1?epoch=${epoch}&offset=${offset}`)).json()) as {
				messages: typeof shown;
				hasMore: boolean;
			};
			shown.unshift(...page.messages);
			({ hasMore } = page);
			await provider.publish('chat:1', 'live');
		}
		expect(shown.map(({ data }) => data)).toEqual(Array.from({ length: 10 }, (_, n) => `${n}`));
	});

	it('are not forgotten while a socket is subscribed, and its position stays valid', async () => {
		vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
		onTestFinished(() => void vi.useRealTimers());
		const { provider, connect, settled } = await node();
		for (const topic of ['chat:begun', 'chat:left']) await provider.publish(topic, 'x');
		const { epoch } = await provider.history('chat:begun');
		const left = await provider.history('chat:left');
		const member = await connect();
		const first = (await provider.resume(member.id, 'chat:1', {}))?.position;
		await provider.resume(member.id, 'chat:begun', {});
		await provider.publish('chat:other', 'x');
		for (let hour = 0; hour < 26; hour++) {
			vi.advanceTimersByTime(60 * 60_000);
			await new Promise((resolve) => setImmediate(resolve));
		}
		await settled(member);
		expect((await provider.history('chat:left')).epoch).not.toBe(left.epoch);
		expect((await provider.history('chat:begun')).epoch).toBe(epoch);

		const notices = member.client.texts.filter((text) => text.includes('"topics":["chat:1"]'));
		const { data } = JSON.parse(notices.at(-1) ?? '') as { data: { epoch: string; offset: number } };
		const latest = { epoch: data.epoch, offset: data.offset };
		expect(await provider.history('chat:1', { since: first })).toMatchObject({ recovered: false });
		await provider.publish('chat:1', 'first message');
		const page = await provider.history('chat:1', { since: latest });
		expect([page.recovered, page.messages.map((message) => message.data)]).toEqual([true, ['first message']]);
	});

	it('resume a socket from before the first message although a message comes first', async () => {
		const { provider, connect } = await node();
		const { epoch, offset } = await provider.history('chat:1');
		await provider.publish('chat:1', '1');
		const { client, id } = await connect();
		const resumed = provider.resume(id, 'chat:1', { since: { epoch, offset } });
		void provider.publish('chat:1', '2');
		expect(await resumed).toMatchObject({ recovered: true, count: 2 });
		await until(() => client.texts.filter((text) => text.includes('@text')).length === 2, { what: 'both arrive' });
	});

	it('report a position as not recovered once its next message was removed', async () => {
		const { provider } = await node();
		await provider.publish('exact', '1');
		const { epoch, offset } = await provider.history('exact');
		await provider.publish('exact', '2');
		expect(await provider.history('exact', { since: { epoch, offset } })).toMatchObject({ recovered: true });
		await provider.publish('exact', '3');
		expect(await provider.history('exact', { since: { epoch, offset } })).toMatchObject({
			recovered: false,
			messages: [],
		});
		expect(await provider.history('exact', { since: { epoch: 'other', offset } })).toMatchObject({ recovered: false });
	});

	it('deliver a socket’s own messages to it as well, as they are part of the sequence', async () => {
		const { provider, connect } = await node();
		await provider.publish('chat:1', 'earlier');
		const { client, id } = await connect({ topics: new Set(['chat:1']) });
		await provider.publishFrom(id, 'chat:1', 'mine');
		await until(() => client.messages.length === 1, { what: 'its own message' });
		expect(parsed(client.messages)).toMatchObject([{ name: '@text', data: 'mine', topic: 'chat:1' }]);
	});

	it('resend more than may be queued for a socket, at the speed at which it reads', async () => {
		const { provider, server, connect } = await openNode({
			subprotocol: SUBPROTOCOL,
			history: { long: { size: 4_000, ttlMs: 60_000, bytes: 2 ** 24 } },
		});
		provider.setServer(server, { queuedBytes: 64 * 1024 });
		for (let n = 0; n < 4_000; n++) await provider.publish('long', `${n} ${'x'.repeat(1_000)}`);
		const { client, id, ws } = await connect();
		let most = 0;
		const send = ws.send.bind(ws);
		ws.send = (message) => {
			const sent = send(message);
			most = Math.max(most, ws.getBufferedAmount());
			return sent;
		};
		expect(await provider.resume(id, 'long', { rewind: 4_000 })).toMatchObject({ count: 4_000 });
		// A quarter of `queuedBytes`, doubled because corked bytes are counted late, plus one message.
		expect(most).toBeLessThan(34 * 1024);
		await until(() => client.messages.length === 4_002, {
			what: () =>
				`all messages and both positions, not ${client.messages.length}; ${ws.getBufferedAmount()} bytes are queued; the last is ${String(client.messages.at(-1)).slice(0, 100)}`,
		});
		const numbers = parsed(client.messages.slice(1, -1)).map((message) =>
			Number.parseInt((message as { data: string }).data),
		);
		expect(numbers).toEqual(Array.from({ length: 4_000 }, (_, n) => n));
		expect(ws.readyState).toBe(WebSocket.OPEN);
	});

	it('do not report a socket that closes while it catches up as up to date', async () => {
		const { provider, connect } = await node();
		for (let n = 0; n < 5; n++) await provider.publish('chat:1', `${n}`);
		const { client, id, ws } = await connect();
		let checks = 0;
		ws.getBufferedAmount = () => {
			if (++checks === 3) ws.close();
			return 0;
		};
		expect(await provider.resume(id, 'chat:1', { rewind: 5 })).toBeUndefined();
		await client.closed;
		expect(client.texts.some((text) => text.includes('"4"'))).toBe(false);
	});

	it('leave a socket unsubscribed that unsubscribes while it catches up', async () => {
		const { provider, connect } = await node();
		const { id } = await connect();
		const resumed = provider.resume(id, 'chat:1', { rewind: 5 });
		await provider.unsubscribe(id, 'chat:1');
		expect(await resumed).toBeUndefined();
		expect(provider.getTopicSubscribers('chat:1').size).toBe(0);
	});

	it('serve only the later of two resumes, and send nothing twice', async () => {
		const { provider, connect, settled } = await node();
		for (let n = 0; n < 5; n++) await provider.publish('chat:1', `${n}`);
		const member = await connect();
		const first = provider.resume(member.id, 'chat:1', { rewind: 5 });
		const second = await provider.resume(member.id, 'chat:1', { rewind: 2 });
		expect([await first, second?.count]).toEqual([undefined, 2]);
		await provider.publish('chat:1', 'live');
		await settled(member);
		const texts = parsed(member.client.messages.filter((text) => String(text).includes('@text')));
		expect(texts.map((message) => (message as { data: string }).data)).toEqual(['3', '4', 'live']);
	});
});
