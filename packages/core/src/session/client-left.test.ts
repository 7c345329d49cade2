import { connectClient, until } from '@orijs/testkit';
import { InProcWsProvider, UnknownSocketError } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { Application, type AppSocket, type WebSocketHandlers } from '../index.ts';
import { RecordingLogger } from '../test-support/recording-logger.ts';
import { serve } from '../test-support/serve.ts';

const uses: readonly [string, (ws: AppSocket) => Promise<void>][] = [
	['subscribe', (ws) => ws.subscribe('t')],
	['publish', (ws) => ws.publish('t', 'x')],
];

describe.each(uses)('a client that leaves before its handler gets to ws.%s', (_, use) => {
	it.each(['open', 'message'] as const)('is no error in %s, and told at debug', async (handler) => {
		const left = Promise.withResolvers<void>();
		const { url, app, log } = await listening({
			[handler]: async (ws: AppSocket) => {
				await left.promise;
				await use(ws);
			},
			close: () => left.resolve(),
		});
		const client = await connectClient(url);
		if (handler === 'message') client.send('go');
		await client.close();

		const told = (): unknown => log.lines.find(({ level }) => level === 'debug');
		await until(() => told() !== undefined, { what: 'it was told' });
		expect(told()).toEqual({
			level: 'debug',
			message: `The ${handler} handler did not finish: its client disconnected`,
			details: { socketId: expect.any(String) as string, err: expect.any(UnknownSocketError) as UnknownSocketError },
		});
		await app.stop();
		expect(log.errors).toEqual([]);
	});
});

describe('an UnknownSocketError is an error all the same', () => {
	it('of another socket', async () => {
		const left = Promise.withResolvers<void>();
		const { url, log, provider } = await listening({
			async open() {
				await left.promise;
				await provider.subscribe(crypto.randomUUID(), 't');
			},
			close: () => left.resolve(),
		});
		await (await connectClient(url)).close();

		await log.untilErrors(1);
		expect(log.errors[0]?.message).toBe('The open handler failed');
	});

	it('of a socket that is open', async () => {
		const { url, log, provider } = await listening({
			async open(ws) {
				provider.removeConnection(ws.data.socketId);
				await ws.subscribe('t');
			},
		});
		const { closed } = await connectClient(url);

		expect(await closed).toEqual({ code: 1011, reason: 'open failed' });
		expect(log.errors.map(({ message }) => message)).toEqual(['The open handler failed']);
	});

	it('in close, where no socket is open and the message would never arrive', async () => {
		const { url, log } = await listening({ close: (ws) => ws.publish('t', 'goodbye') });
		await (await connectClient(url)).close();

		await log.untilErrors(1);
		expect(log.errors[0]?.message).toBe('The close handler failed');
	});
});

async function listening(handlers: WebSocketHandlers) {
	const log = new RecordingLogger();
	// The provider logs what it refuses on its own account.
	const provider = new InProcWsProvider({ logger: new RecordingLogger() });
	const app = new Application({ logger: log }).websocket(provider).onWebSocket(handlers);
	const { ws: url } = await serve(app);
	return { url, app, log, provider };
}
