import { connectClient } from '@orijs/testkit';
import { InProcWsProvider, type WebSocketProvider } from '@orijs/websocket';
import { expect, it } from 'vitest';
import { Application, ApplicationError } from '../index.ts';
import { RecordingLogger } from '../test-support/recording-logger.ts';
import { serve } from '../test-support/serve.ts';

const BELONGS = new ApplicationError('the provider is in use by another application; give each application its own');

it('a provider works for one application: another can not listen with it, and does not disturb the first', async () => {
	const provider = new InProcWsProvider({ logger: new RecordingLogger() });
	const first = inTopic(provider);
	const client = await connectClient((await serve(first)).ws);
	const second = inTopic(provider);

	await expect(second.listen(0)).rejects.toEqual(BELONGS);
	await first.socket.publish('all', 'one');
	expect(await client.next()).toBe('one');

	await second.stop();
	await first.socket.publish('all', 'two');
	expect(await client.next()).toBe('two');
	expect(provider.getConnectionCount()).toBe(1);
});

it('an application that never listened does not stop the provider of another', async () => {
	const provider = new InProcWsProvider({ logger: new RecordingLogger() });
	const first = inTopic(provider);
	const client = await connectClient((await serve(first)).ws);

	await inTopic(provider).stop();
	await first.socket.publish('all', 'one');
	expect(await client.next()).toBe('one');
});

it('a provider may be used again once its application has stopped', async () => {
	const provider = new InProcWsProvider({ logger: new RecordingLogger() });
	for (const text of ['one', 'two', 'three']) {
		const app = inTopic(provider);
		const client = await connectClient((await serve(app)).ws);
		await app.socket.publish('all', text);
		expect(await client.next()).toBe(text);
		await app.stop();
		expect(provider.getConnectionCount()).toBe(0);
	}
});

it('a provider may be used again once its application has failed to listen', async () => {
	const provider = new InProcWsProvider({ logger: new RecordingLogger() });
	const failing = inTopic(provider).onStartup(() => {
		throw new Error('no database');
	});
	await expect(failing.listen(0)).rejects.toThrow('no database');

	const app = inTopic(provider);
	const client = await connectClient((await serve(app)).ws);
	await app.socket.publish('all', 'one');
	expect(await client.next()).toBe('one');
});

/** An application with all its sockets in one topic. */
function inTopic(provider: WebSocketProvider) {
	return new Application({ logger: new RecordingLogger() })
		.websocket(provider)
		.onWebSocket({ open: (ws) => ws.subscribe('all') });
}
