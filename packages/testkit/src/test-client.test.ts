import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from './free-port.ts';
import { connectClient } from './test-client.ts';

let server: Bun.Server<undefined>;
let url: string;

/**
 * Starts a server that sends 'hello' on connect and echoes messages. '!close' and '!terminate' end the connection;
 * requests to /refused are refused.
 */
beforeEach(() => {
	server = Bun.serve({
		port: 0,
		fetch(request, self) {
			if (request.url.endsWith('/refused')) return new Response('no', { status: 403 });
			const chosen = request.headers.get('x-choose');
			const headers: Record<string, string> = chosen ? { 'Sec-WebSocket-Protocol': chosen } : {};
			return self.upgrade(request, { headers }) ? undefined : new Response('not a WebSocket', { status: 426 });
		},
		websocket: {
			open: (ws) => void ws.send('hello'),
			message(ws, message) {
				if (message === '!close') ws.close(4001, 'as requested');
				else if (message === '!terminate') ws.terminate();
				else ws.send(message);
			},
		},
	});
	url = `ws://localhost:${server.port}`;
});

afterEach(() => server.stop(true));

test('records texts and bytes in order, from the first message on', async () => {
	const client = await connectClient(url);
	client.send('one');
	client.send(new Uint8Array([1, 2]));
	client.send(new Uint8Array([3]).buffer);
	client.send('two');
	await client.received(5);

	expect(client.messages).toEqual(['hello', 'one', new Uint8Array([1, 2]), new Uint8Array([3]), 'two']);
	expect(client.texts).toEqual(['hello', 'one', 'two']);
	expect(await client.close(4000, 'done')).toEqual({ code: 4000, reason: 'done' });
});

test('next consumes the first match and leaves skipped messages', async () => {
	const client = await connectClient(url);
	const two = client.next((message) => message === 'two');
	client.send('one');
	client.send('two');

	expect(await two).toBe('two');
	expect(await client.next()).toBe('hello');
	expect(await client.next()).toBe('one');
	const [first, second] = [client.next(), client.next()];
	client.send('three');
	client.send('four');
	expect(await Promise.all([first, second])).toEqual(['three', 'four']);
	await client.close();
});

test('a wait that times out rejects with the messages received instead', async () => {
	const client = await connectClient(url, { timeoutMs: 50 });
	client.send(new Uint8Array([171]));
	await client.received(2);

	await expect(client.next((message) => message === 'no')).rejects.toThrow(
		'waited 50 ms; no message matched; unconsumed: 2 message(s):\n  "hello"\n  <ab>',
	);
	await expect(client.received(3)).rejects.toThrow('wanted 3 message(s), received 2 message(s):');
	await client.close();
});

test('a predicate that throws rejects only its own wait', async () => {
	const client = await connectClient(url);
	const throwing = client.next((message) => {
		if (message === 'bad') throw new Error('predicate');
		return false;
	});
	const bad = client.next((message) => message === 'bad');
	client.send('bad');

	await expect(throwing).rejects.toThrow('predicate');
	expect(await bad).toBe('bad');
	await client.close();
});

test('the end of the connection rejects every wait with the close code', async () => {
	const client = await connectClient(url);
	const waiting = client.received(9);
	client.send('!close');

	await expect(waiting).rejects.toThrow(/was closed \(4001 "as requested"\)/);
	expect(await client.closed).toEqual({ code: 4001, reason: 'as requested' });
	expect(await client.next()).toBe('hello');
	await expect(client.next()).rejects.toThrow(/was closed \(4001 "as requested"\)/);
	expect(await client.close()).toEqual({ code: 4001, reason: 'as requested' });
});

test('a terminated connection closes with 1006', async () => {
	const client = await connectClient(url);
	client.send('!terminate');
	expect((await client.closed).code).toBe(1006);

	const other = await connectClient(url);
	expect((await other.terminate()).code).toBe(1006);
});

test('headers and protocols reach the server', async () => {
	const client = await connectClient(url, { headers: { 'x-choose': 'v2' }, protocols: ['v1', 'v2'] });

	expect(client.protocol).toBe('v2');
	await client.close();
});

test('a refused connection rejects with the reason', async () => {
	await expect(connectClient(`${url}/refused`)).rejects.toThrow(/could not connect to ws:.*refused: .*403/);
	await expect(connectClient(`ws://127.0.0.1:${await freePort()}`)).rejects.toThrow(/could not connect to ws:/);
	await expect(connectClient('nonsense')).rejects.toThrow(/nonsense/);
});

test('a server that does not answer times out', async () => {
	const silent = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } });

	await expect(connectClient(`ws://127.0.0.1:${silent.port}`, { timeoutMs: 100 })).rejects.toThrow(
		/no answer within 100 ms/,
	);
	silent.stop(true);
});
