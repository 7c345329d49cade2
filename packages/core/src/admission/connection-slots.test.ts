import { connectClient, HANDSHAKE, RecordingLogger, type TestClient, until } from '@orijs/testkit';
import { InProcWsProvider, type WebSocketProvider } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { Application, type Limits, type WebSocketOptions } from '../index.ts';
import { withDefaults } from '../limits.ts';
import { connectRaw } from '../test-support/raw-connection.ts';
import { type Address, handshake, serve } from '../test-support/serve.ts';
import { ConnectionSlots, type Slot } from './connection-slots.ts';

describe('slots', () => {
	const slots = (limits: Limits): ConnectionSlots => new ConnectionSlots(withDefaults(limits));
	const taken = (from: ConnectionSlots, address: string, count: number): (Slot | string)[] =>
		Array.from({ length: count }, () => from.take(address));

	it('are limited in total, which is checked first', () => {
		const two = slots({ connections: 2, connectionsPerAddress: 1 });
		two.take('203.0.113.1');
		two.take('203.0.113.2');

		expect(two.take('203.0.113.3')).toBe('connections');
		expect(two.take('203.0.113.1')).toBe('connections');
	});

	it('can be released', () => {
		const two = slots({ connections: 2 });
		const [first] = taken(two, '203.0.113.1', 2) as Slot[];
		if (first !== undefined) two.release(first);

		expect(two.take('203.0.113.1')).toBeTypeOf('object');
		expect(two.take('203.0.113.1')).toBe('connections');
	});

	it('can be released later', async () => {
		const one = new ConnectionSlots(withDefaults({ connections: 1 }), 50);
		const [slot] = taken(one, '203.0.113.1', 1) as [Slot];
		one.releaseLater(slot);

		expect(one.take('203.0.113.1')).toBe('connections');
		await until(() => typeof one.take('203.0.113.1') === 'object', { what: 'the slot is released' });
		expect(one.take('203.0.113.1')).toBe('connections');
	});

	it.each([
		['a public address', '203.0.113.1', 1_000],
		['a public IPv6 network', '2001:db8::1', 1_000],
	])('are 1,000 by default for %s; other addresses have their own', (_, address, most) => {
		const few = slots({});
		const got = taken(few, address, most) as Slot[];

		expect(few.take(address)).toBe('connectionsPerAddress');
		expect(few.take('198.51.100.1')).toBeTypeOf('object');
		const [given] = got;
		if (typeof given === 'object') few.release(given);
		expect([typeof few.take(address), few.take(address)]).toEqual(['object', 'connectionsPerAddress']);
	});

	it.each(['127.0.0.1', '::1', '10.1.2.3', '192.168.0.1', '172.16.0.1', '100.64.0.1', 'fd00::1', 'fe80::1'])(
		'are bounded for %s only if that is said: many may be behind it',
		(address) => {
			expect(taken(slots({}), address, 1_500).every((slot) => typeof slot === 'object')).toBe(true);
			const said = taken(slots({ connectionsPerAddress: 1 }), address, 2);
			expect([typeof said[0], said[1]]).toEqual(['object', 'connectionsPerAddress']);
		},
	);

	it('are unlimited with Infinity', () => {
		const many = slots({ connections: Infinity, connectionsPerAddress: Infinity });

		expect(taken(many, '203.0.113.1', 60_000).at(-1)).toBeTypeOf('object');
	});

	it('are shared by exactly an IPv6 /64', () => {
		const one = slots({ connectionsPerAddress: 1 });
		one.take('2001:db8:0:1::1');

		expect(one.take('2001:db8:0:1:ffff::2')).toBe('connectionsPerAddress');
		expect(one.take('2001:db8:0:2::1')).toBeTypeOf('object');
	});
});

describe('connections over the limit', () => {
	it('get 503 with Retry-After, are counted and logged, and do not reach upgrade()', async () => {
		let calls = 0;
		const { address, app, logger } = await listening({
			limits: { connections: 1 },
			upgrade: () => ({ calls: ++calls }),
		});
		await connectClient(address.ws);
		const refused = await handshake(address);

		expect([refused.status, await refused.text()]).toEqual([503, 'Too many connections']);
		expect(refused.headers.get('retry-after')).toMatch(/^[1-5]$/);
		expect([calls, app.refusals.connections]).toEqual([1, 1]);
		expect(logger.lines).toEqual([
			{ level: 'warn', message: expect.stringContaining('limits.connections reached'), details: expect.anything() },
		]);
	});

	it('of one address get 429 with Retry-After, with addresses from trusted proxies', async () => {
		const limits = { connectionsPerAddress: 1 };
		const { address, app, logger } = await listening({ limits, trustedProxies: ['127.0.0.0/8', '::1'] });
		const from = (client: string): Record<string, string> => ({ 'x-forwarded-for': client });
		await connectClient(address.ws, { headers: from('203.0.113.1') });
		await connectClient(address.ws, { headers: from('2001:db8::1') });
		await connectClient(address.ws, { headers: from('203.0.113.2') });

		for (const client of ['203.0.113.1', '198.51.100.1, 203.0.113.1', '2001:db8::ffff']) {
			const refused = await handshake(address, '/ws', from(client));
			expect([refused.status, await refused.text()]).toEqual([429, 'Too many connections from this address']);
			expect(refused.headers.get('retry-after')).toMatch(/^[1-5]$/);
		}
		expect(app.refusals.connectionsPerAddress).toBe(3);
		expect(logger.lines[0]).toMatchObject({ level: 'warn', details: { count: 1, address: '203.0.113.1' } });
	});

	it('from loopback get 429 if the limit is set', async () => {
		const { address } = await listening({ limits: { connectionsPerAddress: 1 } });
		await connectClient(address.ws);

		expect((await handshake(address)).status).toBe(429);
	});
});

describe('the slot of a connection', () => {
	it.each<[string, (client: TestClient) => Promise<unknown>]>([
		['closes', (client) => client.close()],
		['drops the connection', (client) => client.terminate()],
	])('is released when its client %s', async (_, leave) => {
		const { address, provider } = await listening({ limits: { connections: 1 } });
		for (let round = 0; round < 3; round++) {
			const client = await connectClient(address.ws);
			expect((await handshake(address)).status).toBe(503);
			await leave(client);
			await hasRoom(address, provider);
		}
	});

	it('is released when the server closes it', async () => {
		const { address, provider } = await listening({ limits: { connections: 1 } });
		for (let round = 0; round < 3; round++) {
			const client = await connectClient(address.ws);
			client.send('close me');
			await client.closed;
			await hasRoom(address, provider);
		}
	});

	it.each<[string, WebSocketOptions['upgrade'], number]>([
		['rejects', () => null, 403],
		['rejects with false', () => false, 403],
		['sets a header of the handshake', (_req, { headers }) => (headers.set('Upgrade', 'h2c'), {}), 500],
		['returns a response', () => new Response('no', { status: 418 }), 418],
		['throws', () => Promise.reject(new Error('as calls')), 500],
		['takes too long', () => new Promise<never>(() => {}), 503],
	])('is released when upgrade() %s', async (_, fail, status) => {
		const { address } = await listening({
			limits: { connections: 1 },
			upgradeTimeoutMs: 20,
			upgrade: (req, response) => (req.url.endsWith('?fail') ? fail?.(req, response) : {}) as object,
		});
		for (let round = 0; round < 3; round++) expect((await handshake(address, '/ws?fail')).status).toBe(status);

		await connectClient(address.ws);
	});

	it('is released when the choice of a subprotocol fails', async () => {
		const { address } = await listening({
			limits: { connections: 1 },
			subprotocol() {
				throw new Error('as calls');
			},
		});
		const offer = { 'sec-websocket-protocol': 'v1' };
		for (let round = 0; round < 3; round++) expect((await handshake(address, '/ws', offer)).status).toBe(500);
		await connectClient(address.ws);
	});

	it('is released when the handshake is invalid', async () => {
		const { address } = await listening({ limits: { connections: 1 } });
		const bad = { 'sec-websocket-key': 'short' };
		for (let round = 0; round < 3; round++) expect((await handshake(address, '/ws', bad)).status).toBe(400);
		await connectClient(address.ws);
	});

	it('is taken while upgrade() is pending, and released when the client has disconnected in the meantime', async () => {
		const pending: ((data: object) => void)[] = [];
		const { address, provider } = await listening({
			limits: { connections: 2 },
			upgrade: (req) => (req.url.endsWith('?quick') ? {} : new Promise((resolve) => pending.push(resolve))),
		});
		const waiting = [await connectRaw(address.port), await connectRaw(address.port)];
		for (const client of waiting) client.write(`${HANDSHAKE}\r\n`);
		await until(() => pending.length === 2, { what: 'both are pending' });
		expect((await handshake(address, '/ws?quick')).status).toBe(503);

		for (const client of waiting) client.end();
		for (const resolve of pending) resolve({});
		await hasRoom(address, provider, 2);
	});
});

async function listening(options: WebSocketOptions) {
	const logger = new RecordingLogger();
	const provider = new InProcWsProvider({ logger });
	const app = new Application({ logger })
		.websocket(provider, options)
		.onWebSocket({ message: (ws) => ws.close(4000, 'calls') });
	return { app, logger, provider, address: await serve(app) };
}

/** Resolves once `count` clients can connect, after disconnecting them again. */
async function hasRoom({ ws }: Address, provider: WebSocketProvider, count = 1): Promise<void> {
	const clients: TestClient[] = [];
	const connected = async (): Promise<boolean> => {
		const client = await connectClient(`${ws}?quick`).catch(() => undefined);
		if (client !== undefined) clients.push(client);
		return clients.length === count;
	};
	await until(connected, { what: `${count} more can connect` });
	await Promise.all(clients.map((client) => client.terminate()));
	await until(() => provider.getConnectionCount() === 0, { what: 'they have disconnected' });
}
