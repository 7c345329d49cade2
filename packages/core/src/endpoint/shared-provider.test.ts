import { connectClient, RecordingLogger } from '@orijs/testkit';
import { InProcWsProvider, type WebSocketProvider } from '@orijs/websocket';
import { expect, it } from 'vitest';
import { Application, ApplicationError } from '../index.ts';
import { serve } from '../test-support/serve.ts';

const BELONGS = new ApplicationError('the provider is in use by another application; give each application its own');

it('a provider belongs to one application: another can’t listen with it, and does not affect the first', async () => {
	const provider = new InProcWsProvider({ logger: new RecordingLogger() });
	const first = subscribed(provider);
	const client = await connectClient((await serve(first)).ws);
	const second = subscribed(provider);

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
	const first = subscribed(provider);
	const client = await connectClient((await serve(first)).ws);

	await subscribed(provider).stop();
	await first.socket.publish('all', 'one');
	expect(await client.next()).toBe('one');
});

it('a provider may be used again once its application has stopped', async () => {
	const provider = new InProcWsProvider({ logger: new RecordingLogger() });
	for (const text of ['one', 'two', 'three']) {
		const app = subscribed(provider);
		const client = await connectClient((await serve(app)).ws);
		await app.socket.publish('all', text);
		expect(await client.next()).toBe(text);
		await app.stop();
		expect(provider.getConnectionCount()).toBe(0);
	}
});

it('a provider may be used again once its application has failed to listen', async () => {
	const provider = new InProcWsProvider({ logger: new RecordingLogger() });
	const failing = subscribed(provider).onStartup(() => {
		throw new Error('no database');
	});
	await expect(failing.listen(0)).rejects.toThrow('no database');

	const app = subscribed(provider);
	const client = await connectClient((await serve(app)).ws);
	await app.socket.publish('all', 'one');
	expect(await client.next()).toBe('one');
});

/** An application whose sockets are all subscribed to one topic. */
function subscribed(provider: WebSocketProvider) {
	return new Application({ logger: new RecordingLogger() })
		.websocket(provider)
		.onWebSocket({ open: (ws) => ws.subscribe('all') });
}
