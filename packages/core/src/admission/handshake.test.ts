import { connectClient, HANDSHAKE } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { Application } from '../index.ts';
import { connectRaw } from '../test-support/raw-connection.ts';
import { handshake, serve } from '../test-support/serve.ts';

describe('a request to the endpoint that is not a WebSocket handshake', () => {
	it('gets 426 with the protocol to upgrade to, whatever its method, and does not reach upgrade()', async () => {
		let asked = 0;
		const app = new Application().websocket({ upgrade: () => ({ asked: ++asked }) });
		const { http } = await serve(app);

		for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
			const answer = await fetch(`${http}/ws`, { method });
			expect([method, answer.status, answer.headers.get('upgrade')]).toEqual([method, 426, 'websocket']);
			expect(await answer.text()).toMatch(/^WebSocket endpoint: /);
		}
		const other = await fetch(`${http}/ws`, { headers: { connection: 'Upgrade', upgrade: 'h2c' } });
		expect(other.status).toBe(426);
		expect(asked).toBe(0);
	});
});

describe('a malformed WebSocket handshake', () => {
	it('gets 400', async () => {
		const address = await serve(new Application().websocket());
		const short = await handshake(address, '/ws', { 'sec-websocket-key': 'short' });
		expect([short.status, await short.text()]).toEqual([400, 'Not a valid WebSocket handshake']);

		const { port } = address;
		const post = await connectRaw(port);
		post.write(`${HANDSHAKE.replace('GET', 'POST')}\r\n`);
		await post.seen('HTTP/1.1 400 Bad Request');

		const keyless = await connectRaw(port);
		keyless.write(`${HANDSHAKE.replace(/Sec-WebSocket-Key.*\r\n/, '')}\r\n`);
		await keyless.seen('HTTP/1.1 400 Bad Request');
	});

	it('with an unsupported version gets 426 with the supported one', async () => {
		const { port } = await serve(new Application().websocket());

		const old = await connectRaw(port);
		old.write(`${HANDSHAKE.replace('Version: 13', 'Version: 8')}\r\n`);
		await old.seen('HTTP/1.1 426 Upgrade Required');
		await old.seen('Sec-WebSocket-Version: 13');
	});

	it('does not affect valid ones, which may write websocket in any case', async () => {
		const address = await serve(new Application().websocket());
		await handshake(address, '/ws', { 'sec-websocket-key': 'short' });
		await connectClient(address.ws);

		const shouting = await connectRaw(address.port);
		shouting.write(`${HANDSHAKE.replace('Upgrade: websocket', 'UPGRADE: WebSocket')}\r\n`);
		await shouting.seen('HTTP/1.1 101 Switching Protocols');
	});
});
