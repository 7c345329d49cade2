import { connectSpeaker, RecordingLogger, type TestClient } from '@orijs/testkit';
import { InvalidMessageDefinitionError, SocketMessage, WsProvider } from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type AppSocket, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { answersOf, parse, sendTyped } from '../test-support/typed-client.ts';

const bytes = z.instanceof(Uint8Array);
const Book = SocketMessage.define({
	name: 'book',
	data: z.object({ at: z.date(), photo: bytes }),
	reply: z.object({ until: z.date(), photo: bytes, raw: z.instanceof(ArrayBuffer) }),
});
const Booked = SocketMessage.define({ name: 'booked', data: z.object({ at: z.coerce.date(), photo: bytes }) });
const Maybe = SocketMessage.define({ name: 'maybe', data: z.any(), reply: z.string().optional() });
const Echo = SocketMessage.define({ name: 'echo', data: z.any(), reply: z.any() });

const Unchecked = SocketMessage.define<string, string>('unchecked');

const AT = '2026-11-27T10:00:00.000Z';
const PHOTO = Uint8Array.of(0, 62, 255);
const BOOKING = { at: AT, photo: 'AD7/' };
const PLACES = [
	['date', 'at'],
	['uint8array', 'photo'],
];
const sent = { at: new Date(AT), photo: PHOTO };

describe('dates and bytes in typed data', () => {
	it('of a request are what the schema checks and the handler gets; those of its reply are listed', async () => {
		const { client, handled } = await start();
		client.send(JSON.stringify({ type: 'book', correlationId: 'a', data: BOOKING, values: PLACES }));
		expect(parse(await client.next())).toEqual({
			type: 'book',
			correlationId: 'a',
			data: { until: AT, photo: 'AD7/', raw: 'AD7/' },
			values: [
				['date', 'until'],
				['uint8array', 'photo'],
				['arraybuffer', 'raw'],
			],
		});
		expect(handled).toStrictEqual([sent]);
	});

	it('that a client sends as plain JSON are text, which a schema can convert', async () => {
		const { client, handled } = await start();
		sendTyped(client, 'book', BOOKING, 'a');
		sendTyped(client, 'echo', BOOKING, 'b');
		await client.received(2);
		expect(answersOf(client)).toEqual([
			['a', 'invalid_data'],
			['b', BOOKING],
		]);
		expect(handled).toEqual([]);
	});

	it('of emitted messages, sent messages and requests are listed', async () => {
		const { app, client, socket } = await start();
		await app.socket.emit(Booked, 'bookings', sent);
		sendTyped(client, 'echo', 'send');
		void app.socket.request(socket.data.socketId, Book, sent);
		await client.received(3);
		const frames = client.texts.map(parse);
		expect(frames.filter(({ name }) => name === 'booked')).toHaveLength(2);
		for (const frame of frames) expect(frame).toMatchObject({ data: BOOKING, values: PLACES });
	});

	it("of a client's reply are what the reply's schema checks", async () => {
		const { app, client, socket } = await start();
		const reply = app.socket.request(socket.data.socketId, Book, sent);
		await answer(client);
		expect(await reply).toStrictEqual({ until: new Date(AT), photo: PHOTO, raw: PHOTO.slice().buffer });
	});

	it("of a client's reply arrive at another node", async () => {
		const backend = new MemoryBackend();
		const here = await start(backend);
		const there = await start(backend);
		const reply = here.app.socket.request(there.socket.data.socketId, Book, sent);
		await answer(there.client);
		expect(await reply).toStrictEqual({ until: new Date(AT), photo: PHOTO, raw: PHOTO.slice().buffer });
	});
});

describe('a list of values that does not match the data', () => {
	it.each<[unknown, unknown]>([
		['AD7/', 'uint8array'],
		['AD7/', [['bytes']]],
		[{ at: AT }, [['date', 'at', 'x']]],
		[{ at: AT }, [['date', '__proto__', 'at']]],
		[{ at: 'today' }, [['date', 'at']]],
		[{ photo: 'AD7' }, [['uint8array', 'photo']]],
	])('%j with %j is refused with invalid_data', async (data, values) => {
		const { app, client, handled } = await start();
		client.send(JSON.stringify({ type: 'echo', correlationId: 'a', data, values }));
		expect(parse(await client.next())).toEqual({
			type: 'echo',
			correlationId: 'a',
			error: {
				code: 'invalid_data',
				message:
					'Invalid message: values must list the dates and bytes in data as [kind, ...path], with the kind date ' +
					'(text as toISOString writes it), uint8array or arraybuffer (base64)',
			},
		});
		expect(app.refusals.data).toBe(1);
		expect(handled).toEqual([]);
	});

	it('does not harm the connection, however long the list', async () => {
		const { client } = await start();
		const data = Array.from({ length: 2_000 }, () => '');
		const values = data.map((_, i) => ['uint8array', i]);
		for (const list of [[...values, ['uint8array', -1]], values, [['date', ...data]]]) {
			client.send(JSON.stringify({ type: 'echo', correlationId: 'a', data, values: list }));
		}
		sendTyped(client, 'echo', 'fine', 'b');
		await client.received(4);
		const [bad, many, deep, last] = client.texts.map(parse);
		expect([bad, deep].map((frame) => (frame?.['error'] as { code: string } | undefined)?.code)).toEqual([
			'invalid_data',
			'invalid_data',
		]);
		expect(many).toMatchObject({ data, values: values.map(([kind, i]) => [kind, String(i)]) });
		expect(last).toMatchObject({ data: 'fine' });
	});
});

it('a number that is too large is refused, wherever it is', async () => {
	const { client, handled } = await start();
	const texts = ['1e999', '[-1e999]', '{"a":{"b":1e999}}'];
	for (const text of texts) client.send(`{"type":"echo","correlationId":"a","data":${text}}`);
	await client.received(texts.length);
	for (const frame of client.texts.map(parse)) {
		expect(frame['error']).toEqual({ code: 'invalid_message', message: 'Invalid message: a number is too large' });
	}
	expect(handled).toEqual([]);
});

describe('a reply', () => {
	it('that is undefined has no data', async () => {
		const { app, client, socket } = await start();
		sendTyped(client, 'maybe', null, 'a');
		expect(parse(await client.next())).toEqual({ type: 'maybe', correlationId: 'a' });
		const reply = app.socket.request(socket.data.socketId, Maybe, null);
		const { correlationId } = parse(await client.next());
		sendTyped(client, '@reply', undefined, String(correlationId));
		expect(await reply).toBeUndefined();
	});

	it('with a value that cannot be sent is answered with internal, and the log names the value', async () => {
		const { client, log } = await start();
		sendTyped(client, 'echo', 'bad', 'a');
		expect(parse(await client.next())['error']).toMatchObject({ code: 'internal' });
		expect(String(log.errors[0]?.details?.['err'])).toContain(
			"The data of echo can't be sent: data.items.0 is of type Map",
		);
	});
});

describe('a definition without a schema, on a server', () => {
	const refusal = new InvalidMessageDefinitionError(
		"unchecked has no schema, so a server can't check its data: define it with SocketMessage.define({ name, data })",
	);

	it('is refused by a router', () => {
		expect(() => new SocketRouter().on(Unchecked, () => 'x')).toThrow(refusal);
	});

	it('is refused by everything that sends, and nothing is sent', async () => {
		const { app, client, socket } = await start();
		await expect(app.socket.emit(Unchecked, 'bookings', 'x')).rejects.toThrow(refusal);
		await expect(app.socket.request(socket.data.socketId, Unchecked, 'x')).rejects.toThrow(refusal);
		sendTyped(client, 'echo', 'send unchecked', 'a');
		await client.received(1);
		expect(answersOf(client)).toEqual([['a', refusal.message]]);
	});
});

/** Starts an application whose only client is subscribed to `bookings`. */
async function start(backend = new MemoryBackend()) {
	const log = new RecordingLogger();
	const handled: unknown[] = [];
	const router = new SocketRouter()
		.on(Book, ({ data }) => {
			handled.push(data);
			return { until: data.at, photo: data.photo, raw: data.photo.slice().buffer };
		})
		.on(Maybe, () => undefined)
		.on(Echo, async (ctx) => {
			if (ctx.data === 'send') await ctx.send(Booked, sent);
			if (ctx.data === 'send unchecked') return ctx.send(Unchecked, 'x').catch((error: Error) => error.message);
			if (ctx.data === 'bad') return { items: [new Map()] };
			return ctx.data;
		});
	const sockets: AppSocket[] = [];
	const app = new Application({ logger: log })
		.websocket(new WsProvider({ bus: backend.createBus(), logger: log, graceMs: 0 }))
		.socketRouter(router)
		.onWebSocket({ open: (ws) => void sockets.push(ws) });
	const client = await connectSpeaker((await serve(app)).ws, { withoutNotices: true });
	const socket = sockets[0] as AppSocket;
	await socket.subscribe('bookings');
	return { app, client, handled, log, socket };
}

/** Answers the server's request. */
async function answer(client: TestClient): Promise<void> {
	const { correlationId } = parse(await client.next());
	const data = { until: AT, photo: 'AD7/', raw: 'AD7/' };
	const values = [
		['date', 'until'],
		['uint8array', 'photo'],
		['arraybuffer', 'raw'],
	];
	client.send(JSON.stringify({ type: '@reply', correlationId, data, values }));
}
