import { expect, it, onTestFinished } from 'vitest';
import { SocketClient } from './index.ts';
import { LocalTestServer } from './test-support/local-test-server.ts';

it('connects with the given class, passing the URL and the subprotocols', async () => {
	const server = await LocalTestServer.start();
	onTestFinished(() => server.end());
	await server.serve();
	const made: unknown[][] = [];
	const client = new SocketClient(server.url, {
		WebSocket: class extends WebSocket {
			constructor(...args: [string, string[]]) {
				super(...args);
				made.push(args);
			}
		},
	});
	await client.connect();
	await client.close();
	expect(made).toEqual([[server.url, ['orijs.none', 'orijs.1']]]);
});
