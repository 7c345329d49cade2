import { connectSpeaker, RecordingLogger } from '@orijs/testkit';
import { SocketError } from '@orijs/websocket/protocol';
import { describe, expect, it } from 'vitest';
import { Application, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { sendTyped } from '../test-support/typed-client.ts';

const ways: readonly [string, (error: unknown) => Promise<boolean>][] = [
	[
		'throws',
		(error) => {
			throw error;
		},
	],
	['rejects with', (error) => Promise.reject(error)],
];

describe.each(ways)('a connection guard that %s', (_, failing) => {
	it('a SocketError refuses the connection with its code as the close reason', async () => {
		const { client, log, app } = await guarded(() => failing(new SocketError('token_expired', 'Log in again')));

		sendTyped(client, '@auth', 'ann', 'a');
		expect(await client.closed).toEqual({ code: 4401, reason: 'token_expired' });
		expect(client.texts).toEqual([]);
		expect(log.errors).toEqual([]);
		expect(app.refusals.guard).toBe(1);
	});

	it.each([
		['an error', new Error('secret')],
		['undefined', undefined],
		['a string', 'secret'],
	])('%s closes it with 1011 without details', async (__, error) => {
		const { client, log, app } = await guarded(() => failing(error));

		sendTyped(client, '@auth', 'ann', 'a');
		expect(await client.closed).toEqual({ code: 1011, reason: 'guard failed' });
		expect(client.texts).toEqual([]);
		expect(log.errors).toMatchObject([{ message: 'A connection guard failed', details: { err: error } }]);
		expect(app.refusals.guard).toBe(0);
	});

	it('a SocketError with the code unavailable closes it with 1013, so that its client tries again', async () => {
		const { client, log, app } = await guarded(() => failing(new SocketError('unavailable', 'no session store')));

		sendTyped(client, '@auth', 'ann', 'a');
		expect(await client.closed).toEqual({ code: 1013, reason: 'unavailable' });
		expect([log.errors.map(({ message }) => message), app.refusals.guard]).toEqual([
			['Connection closed (1013): a guard could not decide (unavailable); the client may try again'],
			0,
		]);
	});
});

async function guarded(guard: () => Promise<boolean>) {
	const log = new RecordingLogger();
	const app = new Application({ logger: log }).websocket().socketRouter(new SocketRouter().guard(guard));
	return { app, log, client: await connectSpeaker((await serve(app)).ws) };
}
