import { connectSpeaker, RecordingLogger } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { Application, ApplicationError, SocketEndpoint, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { serveEndpoints } from '../test-support/serve-endpoints.ts';
import { answersOf, sendTyped } from '../test-support/typed-client.ts';

const Echo = SocketMessage.define({ name: 'echo', data: z.string(), reply: z.string() });
const echo = (): SocketRouter => new SocketRouter().on(Echo, ({ data }) => data);
const create = (): Application => new Application({ logger: new RecordingLogger() }).websocket();

it('a router belongs to one endpoint: giving it to a second one is refused', async () => {
	const router = echo();
	const first = create().socketRouter(router);
	const error = new ApplicationError(
		'socketRouter(): this router belongs to another endpoint; create one for each, as with a function that ' +
			'returns a new SocketRouter',
	);

	expect(() => create().socketRouter(router)).toThrow(error);
	await serve(first);
	expect(() => create().socketRouter(router)).toThrow(error);
});

it('a router of an endpoint that stands alone belongs to it until it has stopped', async () => {
	const router = echo();
	const endpoint = new SocketEndpoint({ logger: new RecordingLogger() }).socketRouter(router);
	const { server } = await serveEndpoints(endpoint);
	expect(() => new SocketEndpoint().socketRouter(router)).toThrow('belongs to another endpoint');
	await endpoint.stop();
	const next = new SocketEndpoint({ path: '/next', logger: new RecordingLogger() }).socketRouter(router);
	void next.websocket;
	await next.start(server);
	await next.stop();
});

it('a router that is added twice is refused', () => {
	const router = echo();
	const app = create().socketRouter(router);
	expect(() => app.socketRouter(router)).toThrow(new ApplicationError('socketRouter(): this router was added twice'));
});

it('a router can be given to another application once its own has stopped', async () => {
	const router = echo();
	const first = create().socketRouter(router);
	await serve(first);
	await first.stop();

	const client = await connectSpeaker((await serve(create().socketRouter(router))).ws);
	sendTyped(client, 'echo', 'again', 'a');
	await client.next();
	expect(answersOf(client)).toEqual([['a', 'again']]);
});
