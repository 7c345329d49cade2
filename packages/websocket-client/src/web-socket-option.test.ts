import { expect, it, onTestFinished } from 'vitest';
import { SocketClient } from './index.ts';
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
