import { connectSpeaker, RecordingLogger } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { Application, ApplicationError, SocketEndpoint, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { openServer, serveEndpoints } from '../test-support/serve-endpoints.ts';
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

it('a router can be given to another endpoint once its own was stopped before or during its start', async () => {
	const router = echo();
	await create().socketRouter(router).stop();

	const unstarted = new SocketEndpoint({ logger: new RecordingLogger() }).socketRouter(router);
	await unstarted.stop();
	expect(() => unstarted.socketRouter(echo())).toThrow('socketRouter() must come before start()');

	const interrupted = new SocketEndpoint({ logger: new RecordingLogger() }).socketRouter(router);
	const starting = interrupted.start(openServer(interrupted).server);
	const stopped = interrupted.stop();
	await expect(starting).rejects.toThrow('stop() was called during start()');
	await stopped;

	const app = create().socketRouter(router);
	const listening = app.listen(0);
	const ended = app.stop();
	await expect(listening).rejects.toThrow('stop() was called during listen()');
	await ended;
	await serve(create().socketRouter(router));
});

it('a router of an application that could not listen, but still can, stays with it', async () => {
	const router = echo();
	const app = create().socketRouter(router);
	const more = app.endpoint('/more', { unknownMessages: 'raw' });
	await expect(app.listen(0)).rejects.toThrow("unknownMessages is 'raw', but there is no message handler");
	expect(() => create().socketRouter(router)).toThrow('belongs to another endpoint');

	more.onWebSocket({ message() {} });
	const client = await connectSpeaker((await serve(app)).ws);
	sendTyped(client, 'echo', 'here', 'a');
	await client.next();
	expect(answersOf(client)).toEqual([['a', 'here']]);
});
