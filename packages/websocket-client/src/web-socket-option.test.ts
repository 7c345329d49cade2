import { until } from '@orijs/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { type ErrorStage, SocketClient } from './index.ts';
import { LocalTestServer } from './test-support/local-test-server.ts';

it('connects with the given class, passing only the URL', async () => {
	const server = await LocalTestServer.start();
	onTestFinished(() => server.end());
	await server.serve();
	const made: unknown[][] = [];
	const client = new SocketClient(server.url, {
		WebSocket: class extends WebSocket {
			constructor(...args: [string]) {
				super(...args);
				made.push(args);
			}
		},
	});
	await client.connect();
	await client.close();
	expect(made).toEqual([[server.url]]);
});

it('reports a class that throws, as under a content security policy, and retries', async () => {
	const failures: [ErrorStage, Error][] = [];
	const error = new Error('blocked by a policy');
	const client = new SocketClient('ws://localhost/ws', {
		reconnect: { minDelayMs: 1, maxDelayMs: 2 },
		WebSocket: function () {
			throw error;
		} as unknown as typeof WebSocket,
	});
	client.onError((failure, where) => failures.push([where, failure]));
	const ready = client.connect();
	await until(() => failures.length > 1, { what: 'two attempts were made' });
	await client.close();
	expect(failures[0]).toEqual(['connect', error]);
	await expect(ready).rejects.toThrow('The client is closed');
});
