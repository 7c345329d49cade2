import { connectClient } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { Application, ApplicationError } from '../index.ts';
import { serve } from '../test-support/serve.ts';

describe("the endpoint's path", () => {
	it.each([
		['/', '/'],
		['/ws', '/ws'],
		['/ws', '/ws?token=7'],
		['/a/b/', '/a/b/'],
		['/ws/:room', '/ws/blue'],
		['/:tenant/rooms/:room', '/acme/rooms/blue%20one'],
		['/ws/*', '/ws/a/b'],
		['/*', '/anything'],
		['/caf%C3%A9', '/caf%C3%A9'],
		['/caf%C3%A9', '/caf\u00e9'],
		["/-._~!$&'()+,;=@", "/-._~!$&'()+,;=@"],
	])('%s is reached at %s', async (path, at) => {
		const { http } = await serve(new Application().websocket({ path }));
		await connectClient(http + at);
	});

	it.each([
		['/ws', '/ws/'],
		['/ws', '/ws/?token=7'],
		['/ws/', '/ws'],
		['/a/b/', '/a/b'],
		['/ws/:room', '/ws/blue/'],
		['/ws/:room/', '/ws/blue'],
		['/:tenant/rooms/:room', '/acme/rooms/blue%20one/'],
	])('%s is also reached at %s, where a trailing slash is added or missing', async (path, at) => {
		const params: unknown[] = [];
		const app = new Application().websocket({
			path,
			upgrade(req) {
				params.push({ ...req.params });
				return {};
			},
		});
		const { http } = await serve(app);
		const exact = at.includes('/?') ? at.replace('/?', '?') : at.endsWith('/') ? at.slice(0, -1) : `${at}/`;

		await connectClient(http + at);
		await connectClient(http + exact);
		expect(params[0]).toEqual(params[1]);
		const answers = await Promise.all([http + at, http + exact].map((url) => fetch(url)));
		expect(answers.map(({ status, headers }) => [status, headers.get('upgrade')])).toEqual([
			[426, 'websocket'],
			[426, 'websocket'],
		]);
		for (const method of ['POST', 'HEAD']) expect((await fetch(http + at, { method })).status).toBe(426);
	});

	it('is not reached with two slashes, or where the application has a route with the trailing slash', async () => {
		const app = new Application().websocket().routes({ '/ws/': () => new Response('a page') });
		const { http, ws } = await serve(app);

		await connectClient(ws);
		expect(await (await fetch(`${http}/ws/`)).text()).toBe('a page');
		expect((await fetch(`${http}/ws//`)).status).toBe(404);
	});

	it.each<[unknown]>([
		[''],
		['ws'],
		['./ws'],
		['ws://localhost/ws'],
		[7],
		[null],
		[/ws/],
		['/ws?'],
		['/ws?room=:room'],
		['/ws/:room?'],
		['/ws#'],
		['/ws#top'],
		['/my ws'],
		[' /ws'],
		['/ws '],
		['/ws\n'],
		['/w\ts'],
		['/caf\u00e9'],
		['/ws/{room}'],
		['/ws/<room>'],
		['/"ws"'],
		['/`ws`'],
		['/a\\b'],
		['/./ws'],
		['/a/../ws'],
		['/a/%2e%2e/ws'],
		['/ws/..'],
		['/*/ws'],
		['/ws/*.json'],
	])('%j can never match and is refused', (path) => {
		const call = (): unknown => new Application().websocket({ path: path as string });
		expect(call).toThrow(ApplicationError);
		expect(call).toThrow(
			'websocket(): path must begin with / and be URL-encoded (a space as %20), without ? or #, and without . or .. ' +
				'segments; it can have parameters (/:room) and end with /*; not ',
		);
		if (typeof path === 'string') expect(call).toThrow(`not ${JSON.stringify(path)}`);
	});
});
