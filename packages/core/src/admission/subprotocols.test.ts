import { connectClient, RecordingLogger, type TestClient } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { Application, ApplicationError, SocketRouter, type WebSocketOptions } from '../index.ts';
import { type Address, handshake, serve } from '../test-support/serve.ts';

type Choice = NonNullable<WebSocketOptions['subprotocol']>;

describe('without the option subprotocol', () => {
	it('no subprotocol that a client offers is confirmed', async () => {
		const address = await served(undefined);
		for (const offer of ['v3, v2', 'v1', 'orijs.none', 'a b', ',', '']) {
			expect([offer, await confirmed(address, offer)]).toEqual([offer, null]);
		}
	});

	it('a client that insists on one fails to connect', async () => {
		const { ws } = await served(undefined);
		await expect(connectClient(ws, { protocols: ['v1'] })).rejects.toThrow('protocol');
	});
});

describe('a list of subprotocols', () => {
	it.each([
		['v1', 'v1'],
		['v1, v2', 'v2'],
		['v2,v1', 'v2'],
		['v9,\tv1 ', 'v1'],
		['v9', null],
		['V2', null],
		['v2.1', null],
		['', null],
	])('offered %j, the endpoint confirms the one it prefers: %s', async (offer, expected) => {
		expect(await confirmed(await served(['v2', 'v1']), offer)).toBe(expected);
	});

	it('does not affect clients that offer none', async () => {
		const address = await served(['v2']);
		expect((await connectClient(address.ws)).protocol).toBe('');
		expect(await confirmed(address, undefined)).toBe(null);
	});

	it('may be empty', async () => {
		expect(await confirmed(await served([]), 'v1')).toBe(null);
	});

	it('is chosen from several headers as if they were one', async () => {
		const { http } = await served(['v2']);
		const headers: [string, string][] = [
			['connection', 'Upgrade'],
			['upgrade', 'websocket'],
			['sec-websocket-version', '13'],
			['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=='],
			['sec-websocket-protocol', 'v1'],
			['sec-websocket-protocol', 'v2'],
		];
		const answer = await fetch(`${http}/ws`, { headers });
		expect([answer.status, answer.headers.get('sec-websocket-protocol')]).toEqual([101, 'v2']);
	});
});

describe('a function that chooses the subprotocol', () => {
	it('is called with the offered names and the request, and only if there are any', async () => {
		const calls: unknown[] = [];
		const address = await served((offered, req) => {
			calls.push([offered, new URL(req.url).search]);
			return offered.at(-1);
		});

		expect(await confirmed(address, 'v1, v2', '/ws?a')).toBe('v2');
		expect(await confirmed(address, 'orijs.2, not a token,, v1', '/ws?b')).toBe('v1');
		for (const offer of [undefined, '', 'orijs.none, Orijs.9', ',']) expect(await confirmed(address, offer)).toBe(null);
		expect(calls).toEqual([
			[['v1', 'v2'], '?a'],
			[['v1'], '?b'],
		]);
	});

	it('declines by returning undefined', async () => {
		expect(await confirmed(await served(() => undefined), 'v1')).toBe(null);
	});

	it('is not called for clients that upgrade() rejects', async () => {
		let calls = 0;
		const choose = (): undefined => void calls++;
		const address = await serve(new Application().websocket({ upgrade: () => null, subprotocol: choose }));
		expect((await handshake(address, '/ws', { 'sec-websocket-protocol': 'v1' })).status).toBe(403);
		expect(calls).toBe(0);
	});

	it.each<[string, unknown]>([
		['"v9"', 'v9'],
		['""', ''],
		['"V1"', 'V1'],
		['"orijs.1"', 'orijs.1'],
		['"v1, v2"', 'v1, v2'],
		['null', null],
		['true', true],
		['[…]', ['v1']],
		['Promise {…}', Promise.resolve('v1')],
	])('by returning %s, which was not offered, fails: 500, counted and logged', async (shown, chosen) => {
		const logger = new RecordingLogger();
		const app = new Application({ logger }).websocket({ subprotocol: () => chosen as string });
		const address = await serve(app);

		const answer = await handshake(address, '/ws', { 'sec-websocket-protocol': 'v1, v2, orijs.2' });
		expect([answer.status, await answer.text()]).toEqual([500, 'Internal Server Error']);
		expect(app.refusals.upgrade).toBe(1);
		const err = new ApplicationError(
			`subprotocol() returned ${shown}; it must return one of the offered names, or undefined for none`,
		);
		expect(logger.lines).toEqual([{ level: 'error', message: 'subprotocol() failed', details: { err } }]);
		expect((await handshake(address)).status).toBe(101);
	});

	// An unhandled rejection makes Vitest fail the run.
	it('by rejecting, because it is async, fails: 500, and no rejection is unhandled', async () => {
		const logger = new RecordingLogger();
		const choose = (): Promise<string> => Promise.reject(new Error('secret'));
		const app = new Application({ logger }).websocket({ subprotocol: choose as never });

		const answer = await handshake(await serve(app), '/ws', { 'sec-websocket-protocol': 'v1' });
		expect([answer.status, app.refusals.upgrade]).toEqual([500, 1]);
		expect(logger.errors.map(({ message }) => message)).toEqual(['subprotocol() failed']);
	});

	it('by throwing fails: 500, and the error is logged', async () => {
		const logger = new RecordingLogger();
		const err = new Error('secret');
		const choose = (): never => {
			throw err;
		};
		const address = await serve(new Application({ logger }).websocket({ subprotocol: choose }));

		const answer = await handshake(address, '/ws', { 'sec-websocket-protocol': 'v1' });
		expect([answer.status, await answer.text()]).toEqual([500, 'Internal Server Error']);
		expect(logger.lines).toEqual([{ level: 'error', message: 'subprotocol() failed', details: { err } }]);
	});
});

describe('the confirmed subprotocol', () => {
	it('is known to handlers, and to the client', async () => {
		const { ws } = await served(['v2', 'v1']);
		const offers = async (protocols: string[]): Promise<TestClient> => connectClient(ws, { protocols });
		for (const protocol of ['v1', 'v2']) {
			const client = await offers([protocol]);
			expect([client.protocol, await client.next()]).toEqual([protocol, protocol]);
		}
		expect(await (await offers([])).next()).toBe('none');
	});
});

describe('orijs.1, the subprotocol of clients that speak the protocol', () => {
	it.each<[string, WebSocketOptions]>([
		['a router', {}],
		['authorize', { authorize: {} }],
		['neither router nor authorize', {}],
	])('is confirmed by an endpoint with %s, before anything else', async (what, options) => {
		const app = new Application().websocket({ ...options, subprotocol: ['v2'] });
		if (what === 'a router') app.socketRouter(new SocketRouter());
		const address = await serve(app);

		expect(await confirmed(address, 'orijs.1')).toBe('orijs.1');
		expect(await confirmed(address, 'v2, orijs.1')).toBe('orijs.1');
		expect(await confirmed(address, 'orijs.none, orijs.1')).toBe('orijs.1');
		expect(await confirmed(address, 'orijs.2, v2')).toBe('v2');
		expect(await confirmed(address, 'ORIJS.1')).toBe(null);
	});

	it('cannot be confirmed by the application', () => {
		for (const subprotocol of [['orijs.1'], ['v1', 'Orijs.chat']]) {
			expect(() => new Application().websocket({ subprotocol })).toThrow('names that begin with orijs. are reserved');
		}
	});
});

describe('an invalid option subprotocol', () => {
	it.each<[string, unknown]>([
		['"v1"', 'v1'],
		['7', 7],
		['null', null],
		['true', true],
		['{…}', { v1: true }],
		['7', ['v1', 7]],
		['undefined', [undefined]],
		['""', ['']],
		['"a b"', ['a b']],
		['"a,b"', ['a,b']],
		['"v1\\r\\nX: y"', ['v1\r\nX: y']],
		['"caf\u00e9"', ['caf\u00e9']],
		['"v1"', ['v1', 'v2', 'v1']],
	])('is refused with the rule: %s in %j', (shown, subprotocol) => {
		const call = (): unknown => new Application().websocket({ subprotocol: subprotocol as Choice });
		expect(call).toThrow(ApplicationError);
		expect(call).toThrow(
			`websocket(): subprotocol must not ${Array.isArray(subprotocol) ? 'contain' : 'be'} ${shown}; it is a list of ` +
				"different names such as ['chat.v2', 'chat.v1'], in order of preference, or a function (offered, req) that " +
				'returns one of the offered names or undefined; names that begin with orijs. are reserved',
		);
	});
});

/** Serves an endpoint that sends each client its subprotocol. */
function served(subprotocol: Choice | undefined): Promise<Address> {
	const options: WebSocketOptions = subprotocol === undefined ? {} : { subprotocol };
	const app = new Application({ logger: new RecordingLogger() })
		.websocket(options)
		.onWebSocket({ open: (ws) => void ws.send(ws.subprotocol ?? 'none') });
	return serve(app);
}

/** Returns the subprotocol that is confirmed to a client with this offer; null if none is. */
async function confirmed(address: Address, offer: string | undefined, path = '/ws'): Promise<string | null> {
	const answer = await handshake(address, path, offer === undefined ? {} : { 'sec-websocket-protocol': offer });
	expect(answer.status).toBe(101);
	return answer.headers.get('sec-websocket-protocol');
}
