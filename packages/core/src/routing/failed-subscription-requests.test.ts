import { connectSpeaker, RecordingLogger } from '@orijs/testkit';
import { InProcWsProvider } from '@orijs/websocket';
import { expect, it } from 'vitest';
import { Application } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { answersOf, sendTyped } from '../test-support/typed-client.ts';

it.each([
	['@subscribe', 'Subscribing failed'],
	['@unsubscribe', 'Unsubscribing failed'],
])('%s is answered internal when the provider fails, and logged as "%s"', async (type, message) => {
	const logger = new RecordingLogger();
	const provider = new InProcWsProvider({ logger });
	const err = new Error('broken');
	provider.subscribe = provider.unsubscribe = () => Promise.reject(err);
	const app = new Application({ logger }).websocket(provider, { authorize: { subscribe: () => true } });
	const { ws } = await serve(app);
	const client = await connectSpeaker(ws);

	sendTyped(client, type, { topic: 't' }, 'a');
	await client.received(1);
	expect(answersOf(client)).toEqual([['a', 'internal']]);
	expect(logger.errors).toEqual([
		{ level: 'error', message, details: { socketId: expect.any(String), topic: 't', err } },
	]);
});
