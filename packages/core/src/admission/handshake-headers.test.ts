import { connectClient, RecordingLogger } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { Application, type WebSocketOptions } from '../index.ts';
import { type Address, handshake, serve } from '../test-support/serve.ts';

describe('headers that upgrade() adds', () => {
	it('are in the response that accepts the client, each cookie in its own header', async () => {
		const address = await served({
			upgrade(_, { headers }) {
				headers.append('Set-Cookie', 'session=s3; HttpOnly');
				headers.append('Set-Cookie', 'seen=1');
				headers.set('X-Node', 'a');
				return {};
			},
		});

		const { status, headers } = await handshake(address);
		expect([status, headers.getSetCookie(), headers.get('x-node')]).toEqual([
			101,
			['session=s3; HttpOnly', 'seen=1'],
			'a',
		]);
		await connectClient(address.ws);
	});

	it('can be added later, and do not affect the subprotocol or other connections', async () => {
		const address = await served({
			async upgrade(req, response) {
				await Bun.sleep(0);
				if (req.url.endsWith('?one')) response.headers.set('X-Late', 'yes');
				return {};
			},
			subprotocol: ['v2'],
		});

		const chosen = await handshake(address, '/ws?one', { 'sec-websocket-protocol': 'v1, v2' });
		expect([chosen.headers.get('x-late'), chosen.headers.get('sec-websocket-protocol')]).toEqual(['yes', 'v2']);
		const declined = await handshake(address, '/ws?one', { 'sec-websocket-protocol': 'v1' });
		expect([declined.headers.get('x-late'), declined.headers.get('sec-websocket-protocol')]).toEqual(['yes', null]);
		expect((await handshake(address)).headers.get('x-late')).toBe(null);
	});

	it('are not sent if the request is rejected', async () => {
		const address = await served({
			upgrade(_, { headers }) {
				headers.set('X-Node', 'a');
				return null;
			},
		});

		const { status, headers } = await handshake(address);
		expect([status, headers.get('x-node')]).toEqual([403, null]);
	});

	it.each([
		'Sec-WebSocket-Protocol',
		'sec-websocket-accept',
		'Sec-WebSocket-Extensions',
		'CONNECTION',
		'Upgrade',
		'Content-Length',
		'Transfer-Encoding',
	])('cannot include %s: the client gets 500, and the log names it', async (name) => {
		const logger = new RecordingLogger();
		const address = await served(
			{
				upgrade(_, { headers }) {
					headers.set('X-Node', 'a');
					headers.set(name, 'x');
					return {};
				},
			},
			logger,
		);

		const { status, headers } = await handshake(address);
		expect([status, headers.get('x-node')]).toEqual([500, null]);
		expect(logger.lines.map(({ level, message }) => [level, message])).toEqual([
			[
				'error',
				`upgrade() set the header ${name.toLowerCase()}, which belongs to the handshake; it may set any header except ` +
					'Sec-WebSocket-*, Connection, Upgrade, Content-Length and Transfer-Encoding. The option subprotocol ' +
					'sets the subprotocol',
			],
		]);
	});

	it('that are invalid make upgrade() fail, and do not split the response', async () => {
		const logger = new RecordingLogger();
		const address = await served(
			{
				upgrade(_, { headers }) {
					headers.set('X-Node', 'a\r\nX-Other: b');
					return {};
				},
			},
			logger,
		);

		expect((await handshake(address)).status).toBe(500);
		expect(logger.errors.map(({ message }) => message)).toEqual(['upgrade() failed']);
	});
});

describe('cookies that upgrade() sets or deletes', () => {
	it('are sent with any response, together with added headers', async () => {
		const address = await served({
			async upgrade(req, { headers }) {
				await Bun.sleep(0);
				req.cookies.set('session', 's3');
				req.cookies.delete('old');
				headers.append('Set-Cookie', 'seen=1');
				return req.url.endsWith('?no') ? null : {};
			},
		});

		const accepted = await handshake(address, '/ws', { cookie: 'old=1' });
		expect(accepted.status).toBe(101);
		expect(accepted.headers.getSetCookie().map((cookie) => cookie.split(';')[0])).toEqual([
			'seen=1',
			'session=s3',
			'old=',
		]);
		const rejected = await handshake(address, '/ws?no');
		expect(rejected.status).toBe(403);
		expect(rejected.headers.getSetCookie()[0]).toContain('session=s3');
	});
});

function served(options: WebSocketOptions, logger: RecordingLogger = new RecordingLogger()): Promise<Address> {
	return serve(new Application({ logger }).websocket(options));
}
