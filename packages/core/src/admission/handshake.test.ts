import { connectClient } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { Application } from '../index.ts';
import { connectRaw, HANDSHAKE } from '../test-support/raw-connection.ts';
import { handshake, serve } from '../test-support/serve.ts';

describe('a request to the endpoint that is no WebSocket handshake', () => {
	it('gets 426 and hears what to upgrade to, whatever its method, and upgrade() is not asked', async () => {
		let asked = 0;
		const app = new Application().websocket({ upgrade: () => ({ asked: ++asked }) });
		const { http } = await serve(app);

		for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
			const answer = await fetch(`${http}/ws`, { method });
			expect([method, answer.status, answer.headers.get('upgrade')]).toEqual([method, 426, 'websocket']);
			expect(await answer.text()).toBe('This is a WebSocket endpoint');
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

	it('of a version there is not gets 426 with the one there is', async () => {
		const { port } = await serve(new Application().websocket());

		const old = await connectRaw(port);
		old.write(`${HANDSHAKE.replace('Version: 13', 'Version: 8')}\r\n`);
		await old.seen('HTTP/1.1 426 Upgrade Required');
		await old.seen('Sec-WebSocket-Version: 13');
	});

	it('harms nobody: the same request made well connects, in whatever case it says websocket', async () => {
		const address = await serve(new Application().websocket());
		await handshake(address, '/ws', { 'sec-websocket-key': 'short' });
		await connectClient(address.ws);

		const shouting = await connectRaw(address.port);
		shouting.write(`${HANDSHAKE.replace('Upgrade: websocket', 'UPGRADE: WebSocket')}\r\n`);
		await shouting.seen('HTTP/1.1 101 Switching Protocols');
	});
});
