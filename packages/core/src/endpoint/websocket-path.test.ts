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
