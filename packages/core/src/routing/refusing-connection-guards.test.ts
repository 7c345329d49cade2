import { connectSpeaker, RecordingLogger } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { Application, type ConnectionGuard, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { sendTyped } from '../test-support/typed-client.ts';

describe('a guard that refuses a connection', () => {
	it.each<[string, () => unknown, number]>([
		['false', () => false, 0],
		['a promise of false', async () => false, 0],
		['undefined', () => {}, 1],
		['a promise of undefined', async () => {}, 1],
		['1', () => 1, 1],
		['a user', () => ({ name: 'Ada' }), 1],
	])(
		'with %s closes it with 4401, skips the other guards, and logs a result that is not a boolean',
		async (_, guard, errors) => {
			let others = 0;
			const { app, connect, log } = await guarded(guard as ConnectionGuard<object>, () => ++others > 0);
			const client = await connect();

			sendTyped(client, '@auth', 'token', 'a');
			sendTyped(client, 'who', null, 'b');
			expect(await client.closed).toEqual({ code: 4401, reason: 'unauthorized' });
			expect([client.messages, others, app.refusals.guard]).toEqual([[], 0, 1]);
			expect(log.errors.map(({ message }) => message)).toEqual(
				Array.from(
					{ length: errors },
					() =>
						expect.stringMatching(/^Connection refused: a guard returned .+; it must return true or false$/) as string,
				),
			);
		},
	);

	it.each<[string, (error: Error) => ConnectionGuard<object>]>([
		[
			'throws',
			(error) => () => {
				throw error;
			},
		],
		['rejects', (error) => () => Promise.reject(error)],
	])('but %s closes it with 1011, and only the log has the cause', async (_, failing) => {
		const error = new Error('postgres://admin:hunter2@db');
		const { connect, log } = await guarded(failing(error));
		const client = await connect();

		sendTyped(client, '@auth', 'token', 'a');
		expect(await client.closed).toEqual({ code: 1011, reason: 'guard failed' });
		expect(client.messages).toEqual([]);
		expect(log.errors).toEqual([
			{
				level: 'error',
				message: 'A connection guard failed',
				details: { socketId: expect.any(String) as string, err: error },
			},
		]);
	});
});

async function guarded(...guards: readonly ConnectionGuard<object>[]) {
	const log = new RecordingLogger();
	const router = new SocketRouter();
	for (const guard of guards) router.guard(guard);
	const app = new Application({ logger: log }).websocket().socketRouter(router);
	const { ws } = await serve(app);
	return { app, log, connect: () => connectSpeaker(ws) };
}
