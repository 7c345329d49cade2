import { connectSpeaker, RecordingLogger, type TestClient, until } from '@orijs/testkit';
import { SocketError, SocketMessage } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
	Application,
	ApplicationError,
	SocketEndpoint,
	SocketRouter,
	type WebSocketHandlers,
	type WebSocketOptions,
} from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { openServer } from '../test-support/serve-endpoints.ts';
import { allReceived, answersOf, parse, sendTyped } from '../test-support/typed-client.ts';

const Note = SocketMessage.define({ name: 'note', data: z.string(), reply: z.string() });
const notes = (): SocketRouter => new SocketRouter().on(Note, ({ data }) => data);

describe('a message that no router has a handler for', () => {
	it('is refused by default', async () => {
		const { app, client } = await connected([notes()]);

		sendTyped(client, 'old.note', 'x', 'a');
		expect(parse(await client.next())).toEqual({
			type: 'old.note',
			correlationId: 'a',
			error: { code: 'unknown_type', message: 'No handler for old.note' },
		});
		expect(app.refusals.unknownType).toBe(1);
	});

	it('goes to onUnknown() of any router, which answers it', async () => {
		const seen: unknown[] = [];
		const router = new SocketRouter<{ name: string }>()
			.guard((ctx) => {
				ctx.state.name = 'Ada';
				return true;
			})
			.onUnknown(async ({ type, data, state }) => {
				seen.push([type, data, state.name]);
				if (type === 'old.refused') throw new SocketError('gone', 'Reload the page');
				return { moved: 'note' };
			});
		const { app, client } = await connected([router, notes()]);

		sendTyped(client, 'old.note', { text: 7 }, 'a');
		sendTyped(client, 'old.refused', undefined, 'b');
		sendTyped(client, 'old.note', 'not a request');
		sendTyped(client, 'note', 'new', 'c');
		await client.received(3);
		expect(answersOf(client)).toEqual([
			['a', { moved: 'note' }],
			['b', 'gone'],
			['c', 'new'],
		]);
		expect(seen).toEqual([
			['old.note', { text: 7 }, 'Ada'],
			['old.refused', undefined, 'Ada'],
			['old.note', 'not a request', 'Ada'],
		]);
		expect(app.refusals.unknownType).toBe(0);
	});

	it('passes the middleware and the guards of the router with onUnknown()', async () => {
		const seen: string[] = [];
		const router = new SocketRouter()
			.use(({ type }, next) => {
				seen.push(type);
				return next();
			})
			.guardMessages(({ data }) => data === 'allowed')
			.onUnknown(({ type }) => type);
		const { client } = await connected([router, notes()]);

		sendTyped(client, 'old.note', 'allowed', 'a');
		sendTyped(client, 'old.note', 'refused', 'b');
		sendTyped(client, 'note', 'new', 'c');
		await client.received(3);
		expect(answersOf(client)).toEqual([
			['a', 'old.note'],
			['b', 'forbidden'],
			['c', 'new'],
		]);
		expect(seen).toEqual(['old.note', 'old.note']);
	});

	it('makes onUnknown() fail like a handler, without log lines for each type a client makes up', async () => {
		const router = new SocketRouter().onUnknown(() => {
			throw new Error('a bug');
		});
		const { app, client, log } = await connected([router]);

		for (let i = 0; i < 20; i++) sendTyped(client, `made-up.${i}`, null, String(i));
		await client.received(20);
		expect(answersOf(client)).toEqual(Array.from({ length: 20 }, (_, i) => [String(i), 'internal']));
		await app.stop();
		expect(log.errors.length).toBeLessThan(5);
	});

	it('never goes to onUnknown() if its type belongs to the protocol', async () => {
		const { client } = await connected([new SocketRouter().onUnknown(() => 'mine')]);

		sendTyped(client, '@future', null, 'a');
		await client.next();
		expect(answersOf(client)).toEqual([['a', 'unknown_type']]);
	});
});

describe("unknownMessages: 'raw'", () => {
	it('passes the text of unknown messages to the message handler, in order with the others', async () => {
		const seen: unknown[] = [];
		const { app, client } = await connected([notes()], {
			options: { unknownMessages: 'raw' },
			handlers: {
				message: async (ws, message) => {
					await Promise.resolve();
					seen.push(message);
					ws.send(`got ${String(message)}`);
				},
			},
		});
		const unknown = '{ "type": "legacy",  "data": {"x":1} }';

		client.send(unknown);
		client.send('plain text');
		sendTyped(client, 'note', 'new', 'a');
		await client.received(3);
		expect(client.texts.slice(0, 2)).toEqual([`got ${unknown}`, 'got plain text']);
		expect(parse(client.texts[2] ?? '')).toMatchObject({ correlationId: 'a', data: 'new' });
		expect(seen).toEqual([unknown, 'plain text']);
		expect(app.refusals.unknownType).toBe(0);
	});

	it('passes nothing of the protocol, and no message whose data is invalid', async () => {
		const seen: unknown[] = [];
		const { client } = await connected([notes()], {
			options: { unknownMessages: 'raw' },
			handlers: { message: (_, message) => void seen.push(message) },
		});

		sendTyped(client, '@future', null, 'a');
		sendTyped(client, 'note', 7, 'b');
		await client.received(2);
		await allReceived(client);
		expect(answersOf(client)).toEqual([
			['a', 'unknown_type'],
			['b', 'invalid_data'],
		]);
		expect(seen).toEqual([]);
	});

	it('lets a handler that fails be logged as any other', async () => {
		const { client, log } = await connected([notes()], {
			options: { unknownMessages: 'raw' },
			handlers: { message: () => Promise.reject(new Error('a bug')) },
		});

		sendTyped(client, 'legacy');
		await until(() => log.errors.length > 0, { what: 'the failure is logged' });
		expect(log.errors[0]?.message).toBe('The message handler failed');
	});

	it('needs a message handler', async () => {
		const app = new Application().websocket({ unknownMessages: 'raw' }).socketRouter(notes());
		await expect(app.listen(0)).rejects.toThrow(
			new ApplicationError(
				"unknownMessages is 'raw', but there is no message handler to pass them to: set one with " +
					'onWebSocket({ message })',
			),
		);
	});

	it('is set on a SocketEndpoint as well, which can start once it has the message handler', async () => {
		const endpoint = new SocketEndpoint({ unknownMessages: 'raw', logger: new RecordingLogger() });
		const { server, ws } = openServer(endpoint);
		await expect(endpoint.start(server)).rejects.toThrow("unknownMessages is 'raw', but there is no message handler");
		endpoint.onWebSocket({ message: (socket, text) => void socket.send(`got ${String(text)}`) });
		await endpoint.start(server);

		const client = await connectSpeaker(ws);
		sendTyped(client, 'legacy');
		expect(await client.next()).toBe('got {"type":"legacy"}');
	});

	it('excludes onUnknown()', async () => {
		const app = new Application()
			.websocket({ unknownMessages: 'raw' })
			.onWebSocket({ message() {} })
			.socketRouter(new SocketRouter().onUnknown(() => {}));
		await expect(app.listen(0)).rejects.toThrow(
			new ApplicationError(
				"unknownMessages is 'raw', but a router handles unknown messages with onUnknown(); choose one",
			),
		);
	});

	it.each([
		['"pass"', 'pass'],
		['true', true],
		['null', null],
	])("can't be %s", (shown, policy) => {
		expect(() => new Application().websocket({ unknownMessages: policy as never })).toThrow(
			new ApplicationError(`websocket(): unknownMessages must be 'refuse' or 'raw', not ${shown}`),
		);
	});
});

describe('onUnknown()', () => {
	it('gets the type as the client sent it, which ctx.log escapes', async () => {
		const types: string[] = [];
		const router = new SocketRouter().onUnknown((ctx) => {
			types.push(ctx.type);
			ctx.log.info('old');
			throw new Error('broken');
		});
		const { client, log } = await connected([router]);
		const type = 'x\n2026-01-01 ERROR forged \u202e';
		sendTyped(client, type, null, 'a\n');
		await client.next();
		expect(types).toEqual([type]);
		const shown = 'x\\u{a}2026-01-01 ERROR forged \\u{202e}';
		const lines = log.lines.filter(({ details }) => details?.['correlationId'] !== undefined);
		expect(lines.map(({ level, details }) => [level, details?.['type'], details?.['correlationId']])).toEqual([
			['info', shown, 'a\\u{a}'],
			['error', shown, 'a\\u{a}'],
		]);
	});

	it('can be set once per router, and once per application', async () => {
		const router = new SocketRouter().onUnknown(() => {});
		expect(() => router.onUnknown(() => {})).toThrow(
			new ApplicationError('onUnknown() was called twice; it sets one handler'),
		);

		const app = new Application()
			.websocket()
			.socketRouter(router)
			.socketRouter(new SocketRouter().onUnknown(() => {}));
		await expect(app.listen(0)).rejects.toThrow(
			new ApplicationError('socketRouter(): two routers handle unknown messages with onUnknown()'),
		);
	});

	it.each([undefined, 'handler', {}])('refuses %j, which is not a function', (handler) => {
		expect(() => new SocketRouter().onUnknown(handler as never)).toThrow(
			'onUnknown(): handler must be a function, not ',
		);
	});

	it('throws once the application listens', async () => {
		const router = notes();
		await connected([router]);
		expect(() => router.onUnknown(() => {})).toThrow(
			new ApplicationError('onUnknown() must come before the application listens'),
		);
	});
});

interface Connected {
	readonly app: Application;
	readonly client: TestClient;
	readonly log: RecordingLogger;
}

async function connected(
	routers: readonly SocketRouter<any>[],
	{ options = {}, handlers = {} }: { readonly options?: WebSocketOptions; readonly handlers?: WebSocketHandlers } = {},
): Promise<Connected> {
	const log = new RecordingLogger();
	const app = new Application({ logger: log }).websocket(options).onWebSocket(handlers);
	for (const router of routers) app.socketRouter(router);
	return { app, client: await connectSpeaker((await serve(app)).ws), log };
}
