import { connectClient } from '@orijs/testkit';
import { InProcWsProvider, type SocketData } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { Application, type UpgradeResult } from '../index.ts';
import { handshake, serve } from '../test-support/serve.ts';

describe('upgrade()', () => {
	it('receives the request, and returns the data of that connection only', async () => {
		const app = new Application()
			.websocket({ upgrade: (req) => ({ name: req.headers.get('x-name') ?? 'nobody', visits: 0 }) })
			.onWebSocket({
				message(ws) {
					ws.data.data.visits++;
					ws.send(`${ws.data.data.name} ${ws.data.data.visits}`);
				},
			});
		const { ws } = await serve(app);

		const ann = await connectClient(ws, { headers: { 'x-name': 'ann' } });
		const bob = await connectClient(ws, { headers: { 'x-name': 'bob' } });
		for (const client of [ann, ann, bob]) client.send('visit');
		expect(await ann.received(2)).toEqual(['ann 1', 'ann 2']);
		expect(await bob.received(1)).toEqual(['bob 1']);
	});

	it('may be asynchronous', async () => {
		const app = new Application()
			.websocket({
				async upgrade(req) {
					const { name } = (await new Response(new URL(req.url).searchParams.get('token')).json()) as { name: string };
					return { name };
				},
			})
			.onWebSocket({ open: (ws) => void ws.send(ws.data.data.name) });
		const { ws } = await serve(app);

		const client = await connectClient(`${ws}?token=${encodeURIComponent('{"name":"ann"}')}`);
		expect(await client.next()).toBe('ann');
	});

	it('may return any thenable, as query builders do', async () => {
		const answers: Record<string, object | null> = { '?ann': { name: 'ann' }, '?eve': null };
		const query = (name: string): PromiseLike<object | null> => ({
			// oxlint-disable-next-line unicorn/no-thenable -- the subject of this test
			then: (onfulfilled, onrejected) => Promise.resolve(answers[name] ?? null).then(onfulfilled, onrejected),
		});
		const app = new Application()
			.websocket({ upgrade: (req) => query(new URL(req.url).search) as Promise<object | null> })
			.onWebSocket({ open: (ws) => void ws.send(JSON.stringify(ws.data.data)) });
		const address = await serve(app);

		expect(await (await connectClient(`${address.ws}?ann`)).next()).toBe('{"name":"ann"}');
		expect((await handshake(address, '/ws?eve')).status).toBe(403);
	});

	it.each<[string, object]>([
		['a list', ['ann']],
		['a map', new Map([['name', 'ann']])],
		['an instance', new URL('http://ann')],
		['an object without a prototype', Object.create(null) as object],
	])('may return any object: %s', async (_, data) => {
		const opened: unknown[] = [];
		const app = new Application()
			.websocket({ upgrade: () => data })
			.onWebSocket({ open: (ws) => void opened.push(ws.data.data) });
		const { ws } = await serve(app);

		await connectClient(ws);
		expect(opened[0]).toBe(data);
	});

	it('receives the cookies and parameters of the request', async () => {
		const app = new Application()
			.websocket({
				path: '/rooms/:room',
				upgrade: ({ cookies, params }) => ({ session: cookies.get('session'), room: params['room'] }),
			})
			.onWebSocket({ open: (ws) => void ws.send(JSON.stringify(ws.data.data)) });
		const { http } = await serve(app);

		const client = await connectClient(`${http}/rooms/blue%20one`, { headers: { cookie: 'a=b; session=s3' } });
		expect(await client.next()).toBe('{"session":"s3","room":"blue one"}');
	});

	it('is optional: every connection has an id, data and no topics', async () => {
		const opened: SocketData[] = [];
		const app = new Application().websocket().onWebSocket({
			open(ws) {
				opened.push(ws.data);
			},
		});
		const { ws } = await serve(app);

		await connectClient(ws);
		await connectClient(ws);
		const uuid = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
		const fresh = { socketId: uuid, data: {}, topics: new Set(), connectedAt: expect.any(Number) as number };
		expect(opened).toEqual([fresh, fresh]);
		expect(new Set(opened.map(({ socketId }) => socketId)).size).toBe(2);
		expect(opened[0]?.data).not.toBe(opened[1]?.data);
	});

	it('rejects with 403 by returning null or false, or with the response it returns, and leaves no connection', async () => {
		const answers: Record<string, UpgradeResult<object> | Promise<UpgradeResult<object>>> = {
			null: null,
			'later-null': Promise.resolve(null),
			false: false,
			'later-false': Promise.resolve(false),
			response: new Response('who are you?', { status: 401, headers: { 'www-authenticate': 'Bearer' } }),
			'later-response': Promise.resolve(Response.redirect('/login', 302)),
			welcome: {},
		};
		const provider = new InProcWsProvider();
		const opened: string[] = [];
		const app = new Application()
			.websocket(provider, { upgrade: (req) => answers[new URL(req.url).search.slice(1)] as object })
			.onWebSocket({
				open(ws) {
					opened.push(ws.data.socketId);
				},
			});
		const address = await serve(app);

		for (const path of ['/ws?null', '/ws?later-null', '/ws?false', '/ws?later-false']) {
			const refused = await handshake(address, path);
			expect([path, refused.status, await refused.text()]).toEqual([path, 403, 'Forbidden']);
		}
		const refused = await handshake(address, '/ws?response');
		expect([refused.status, await refused.text()]).toEqual([401, 'who are you?']);
		expect(refused.headers.get('www-authenticate')).toBe('Bearer');
		await expect(connectClient(`${address.ws}?later-response`)).rejects.toThrow('302');

		await connectClient(`${address.ws}?welcome`);
		expect([opened.length, provider.getConnectionCount()]).toEqual([1, 1]);
	});
});
