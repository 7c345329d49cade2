import { connectSpeaker, RecordingLogger, type TestClient } from '@orijs/testkit';
import { SocketError, SocketMessage } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { answersOf, parse, sendTyped } from '../test-support/typed-client.ts';

const SECRET = 'postgres://admin:hunter2@db';
const INTERNAL = { code: 'internal', message: 'Internal server error' };

const Do = SocketMessage.define({ name: 'do', data: z.unknown(), reply: z.unknown() });
const Count = SocketMessage.define({ name: 'count', data: z.unknown(), reply: z.number() });

describe.each<[string, (error: unknown) => () => unknown]>([
	[
		'throws',
		(error) => () => {
			throw error;
		},
	],
	['rejects', (error) => () => Promise.reject(error)],
])('a handler that %s', (_, failing) => {
	it('a SocketError answers with its code and message, and nothing is logged', async () => {
		const error = new SocketError('room_full', 'Only 8 may be in here', { cause: new Error(SECRET) });
		const { client, log } = await serving(failing(error));

		sendTyped(client, 'do', null, 'a');
		expect(parse(await client.next())).toEqual({
			type: 'do',
			correlationId: 'a',
			error: { code: 'room_full', message: 'Only 8 may be in here' },
		});
		expect(log.lines.filter(({ level }) => level !== 'info')).toEqual([]);
	});

	it.each([new Error(SECRET), SECRET, undefined, { code: 'room_full', message: SECRET }])(
		'anything else answers internal, logs the cause and does not affect later messages: %j',
		async (error) => {
			const { app, client, log } = await serving(failing(error));

			sendTyped(client, 'do', null, 'a');
			sendTyped(client, 'do', null);
			await client.received(2);
			expect(client.texts.join()).not.toContain('hunter2');
			expect(client.texts.map(parse)).toEqual([
				{ type: 'do', correlationId: 'a', error: INTERNAL },
				{ type: 'do', error: INTERNAL },
			]);
			const socketId = expect.stringMatching(/^[0-9a-f-]{36}$/) as string;
			expect(log.errors.map(({ details }) => details)).toEqual([
				{ socketId, type: 'do', correlationId: 'a', err: error },
			]);
			await app.stop();
			expect(log.errors.slice(1).map(({ details }) => details)).toEqual([
				{ type: 'do', error: error instanceof Error ? 'Error' : typeof error, count: 1 },
			]);
		},
	);
});

describe('a reply that cannot be sent is logged, and the client receives internal:', () => {
	const circular: Record<string, unknown> = { secret: SECRET };
	circular['self'] = circular;

	it.each<[string, () => unknown]>([
		['circular', () => circular],
		['a BigInt', async () => ({ secret: SECRET, n: 1n })],
		['with a toJSON that throws', () => ({ toJSON: () => JSON.parse(SECRET) as unknown })],
	])('%s', async (_, handler) => {
		const { client, log } = await serving(handler);

		sendTyped(client, 'do', null, 'a');
		sendTyped(client, 'nothing', null, 'b');
		await client.received(2);
		expect(answersOf(client)).toEqual([
			['a', 'internal'],
			['b', 'unknown_type'],
		]);
		expect(client.texts.join()).not.toContain('hunter2');
		expect(log.errors).toHaveLength(1);
		expect(log.errors[0]?.details).toMatchObject({ type: 'do', correlationId: 'a', err: expect.any(Error) as Error });
	});

	it.each<[string, () => unknown]>([
		["not of the schema's type", () => SECRET],
		['missing', () => undefined],
		["not of the schema's type, asynchronously", () => Promise.resolve(SECRET)],
	])('%s', async (_, handler) => {
		const { client, log } = await serving(handler);

		sendTyped(client, 'count', null, 'a');
		expect(parse(await client.next())).toEqual({ type: 'count', correlationId: 'a', error: INTERNAL });
		expect(log.errors.map(({ details }) => String(details?.['err']))).toEqual([
			expect.stringContaining('The reply to count does not match its schema'),
		]);
	});
});

interface Served {
	readonly app: Application;
	readonly client: TestClient;
	readonly log: RecordingLogger;
}

/** Starts an application that uses the same handler for both messages. */
async function serving(handler: () => unknown): Promise<Served> {
	const log = new RecordingLogger();
	const router = new SocketRouter().on(Do, handler).on(Count, handler as () => number);
	const app = new Application({ logger: log }).websocket().socketRouter(router);
	const { ws } = await serve(app);
	return { app, client: await connectSpeaker(ws), log };
}
