import { connectSpeaker, RecordingLogger, type TestClient } from '@orijs/testkit';
import { InProcWsProvider, SocketMessage } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, ApplicationError, SocketProtocol, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { answersOf, allReceived, parse, sendTyped } from '../test-support/typed-client.ts';

const Add = SocketMessage.define({ name: 'math.add', data: z.array(z.number()), reply: z.number() });
const Note = SocketMessage.define({ name: 'note', data: z.string() });
const Ask = SocketMessage.define({ name: 'ask', data: z.unknown(), reply: z.unknown() });

const sum = (numbers: readonly number[]): number => numbers.reduce((one, other) => one + other, 0);

describe('a message with a handler', () => {
	it('is answered with its type, its correlation id and what the handler returned or resolved to', async () => {
		const router = new SocketRouter().on(Add, ({ data }) => sum(data)).on(Ask, async ({ data }) => ({ you: data }));
		const client = await connected(router);

		sendTyped(client, 'math.add', [1, 2], 'a');
		sendTyped(client, 'ask', 'why', 'b');
		expect((await client.received(2)).map(parse)).toEqual([
			{ type: 'math.add', correlationId: 'a', data: 3 },
			{ type: 'ask', correlationId: 'b', data: { you: 'why' } },
		]);
	});

	it('is answered with null if it defines no reply, whatever its handler returns', async () => {
		const router = new SocketRouter().on(Note, () => 'kept' as never);
		const client = await connected(router);

		sendTyped(client, 'note', 'x', 'a');
		expect(parse(await client.next())).toEqual({ type: 'note', correlationId: 'a', data: null });
	});

	it('is answered without data if the reply is undefined', async () => {
		const client = await connected(new SocketRouter().on(Ask, () => undefined));

		sendTyped(client, 'ask', 1, 'a');
		expect(parse(await client.next())).toEqual({ type: 'ask', correlationId: 'a' });
	});

	it('is answered when its handler returns a thenable, as query builders do', async () => {
		const query: PromiseLike<string> = {
			// oxlint-disable-next-line unicorn/no-thenable -- the test is about thenables
			then: (onfulfilled, onrejected) => Promise.resolve('rows').then(onfulfilled, onrejected),
		};
		const client = await connected(new SocketRouter().on(Ask, () => query));

		sendTyped(client, 'ask', 1, 'a');
		expect(parse(await client.next())['data']).toBe('rows');
	});

	it('is not answered without a correlation id, unless it is refused', async () => {
		const handled: string[] = [];
		const router = new SocketRouter()
			.on(Note, ({ data }) => void handled.push(data))
			.on(Ask, ({ data }) => handled.push(String(data)));
		const client = await connected(router);

		sendTyped(client, 'note', 'one');
		sendTyped(client, 'ask', 'two');
		client.send(JSON.stringify({ type: 'ask', data: 'three', correlationId: null }));
		sendTyped(client, 'note', 4);
		sendTyped(client, 'nothing');
		await allReceived(client);
		expect(handled).toEqual(['one', 'two', 'three']);
		expect(answersOf(client)).toEqual([
			[undefined, 'invalid_data'],
			[undefined, 'unknown_type'],
		]);
	});

	it('can have any correlation id of 1 to 128 characters', async () => {
		const client = await connected(new SocketRouter().on(Ask, ({ data }) => data));
		const ids = ['x', 'n'.repeat(128), '"\\\n', '__proto__', 'ünï 🎉', '1', ' '];

		for (const [number, id] of ids.entries()) sendTyped(client, 'ask', number, id);
		await client.received(ids.length);
		expect(answersOf(client)).toEqual(ids.map((id, number) => [id, number]));
	});
});

describe('several routers', () => {
	interface Person {
		name: string;
	}
	interface Right {
		mayAdd: boolean;
	}

	it('share the state set by all guards, and each handles its own messages', async () => {
		const people = new SocketRouter<Person>()
			.guard((ctx) => {
				ctx.state.name = 'Ada';
				return true;
			})
			.on(Ask, ({ state }) => state);
		const rights = new SocketRouter<Right & Person>()
			.guard((ctx) => {
				ctx.state.mayAdd = ctx.state.name === 'Ada';
				return true;
			})
			.on(Add, ({ data, state }) => (state.mayAdd ? sum(data) : NaN));
		const client = await connected(people, rights);

		sendTyped(client, 'ask', 'who am I', 'a');
		sendTyped(client, 'math.add', [20, 22], 'b');
		await client.received(2);
		expect(answersOf(client)).toEqual([
			['a', { name: 'Ada', mayAdd: true }],
			['b', 42],
		]);
	});

	it('accept only connections that pass the guards of all', async () => {
		const open = new SocketRouter().guard(() => true).on(Ask, ({ data }) => data);
		const shut = new SocketRouter().guard(() => false);
		const client = await connected(open, shut);

		sendTyped(client, 'ask', 1, 'a');
		expect(await client.closed).toEqual({ code: 4401, reason: 'unauthorized' });
		expect(client.messages).toEqual([]);
	});

	it('reject a second handler for a message, in one router and across routers', async () => {
		const router = new SocketRouter().on(Note, () => {});
		expect(() => router.on(Note, () => {})).toThrow(new ApplicationError('on(): note already has a handler'));

		const app = new Application().websocket().socketRouter(router);
		app.socketRouter(new SocketRouter().on(SocketMessage.define({ name: 'note', data: z.number() }), () => {}));
		await expect(app.listen(0)).rejects.toThrow(new ApplicationError('socketRouter(): two routers handle note'));
	});
});

describe('an invalid argument is rejected and named', () => {
	it.each<[string, unknown]>([
		['undefined', undefined],
		['null', null],
		['a name', 'note'],
		['an object with only a name', { name: 'note' }],
		['an object with an invalid schema', { name: 'note', data: {} }],
		['an object without a name', { data: z.string() }],
	])('on(): %s is not a message', (_, message) => {
		expect(() => new SocketRouter().on(message as typeof Note, () => {})).toThrow(
			expect.objectContaining({
				name: 'ApplicationError',
				message: expect.stringMatching(
					/^on\(\): message must come from SocketMessage\.define\(\{ name, data \}\), not /,
				),
			}),
		);
	});

	it.each([undefined, null, 'handler', {}, [() => {}]])('on(): %j is not a handler', (handler) => {
		expect(() => new SocketRouter().on(Note, handler as never)).toThrow(
			'on(): the handler for note must be a function, not ',
		);
	});

	it.each([() => true, 'admin', [() => true, undefined], {}, null])('on(): %j is not a list of guards', (guards) => {
		expect(() => new SocketRouter().on(Note, () => {}, { guards: guards as never })).toThrow(
			'on(): guards of note must be an array of functions, not ',
		);
	});

	it('on(): an unknown option is refused, so that a mistyped one does not drop the guards', () => {
		const on = (): unknown => new SocketRouter().on(Note, () => {}, { guard: [() => false] } as never);
		expect(on).toThrow(new ApplicationError('on(): note: there is no option guard; options are guards'));
	});

	it.each([undefined, null, true, {}, []])('guard(): %j is not a guard', (guard) => {
		expect(() => new SocketRouter().guard(guard as never)).toThrow('guard(): guard must be a function, not ');
	});

	it.each([undefined, null, true, {}, []])('authenticate(): %j is no function', (authenticate) => {
		expect(() => new SocketRouter().authenticate(authenticate as never)).toThrow(
			'authenticate(): the argument must be a function, not ',
		);
	});

	it('authenticate() is called twice, or by two routers of an endpoint', async () => {
		const pass = (): SocketRouter => new SocketRouter().authenticate(() => true);
		expect(() => pass().authenticate(() => true)).toThrow(
			new ApplicationError('authenticate() was called twice; it checks the credentials once, use guard() as well'),
		);
		const logger = new RecordingLogger();
		const app = new Application({ logger }).websocket().socketRouter(pass()).socketRouter(pass());
		await expect(app.listen(0)).rejects.toThrow(
			'two routers have authenticate(), but an endpoint checks the credentials of its clients once; use guard() in all ' +
				'others',
		);
		const provider = new InProcWsProvider({ logger });
		expect(() => new SocketProtocol(provider, { routers: [pass()], logger })).toThrow(
			'a router has authenticate(), which needs a SocketEndpoint',
		);
	});

	it.each([undefined, null, {}, SocketRouter])('socketRouter(): %j is not a router', (router) => {
		const app = new Application().websocket();
		expect(() => app.socketRouter(router as never)).toThrow('socketRouter(): router must be a SocketRouter, not ');
	});

	it('socketRouter() before websocket() or after listen() throws', async () => {
		const app = new Application();
		expect(() => app.socketRouter(new SocketRouter())).toThrow(
			'socketRouter() needs an endpoint: call websocket() first',
		);

		app.websocket();
		await serve(app);
		expect(() => app.socketRouter(new SocketRouter())).toThrow('socketRouter() must come before listen()');
	});
});

describe('a router that an application listens with', () => {
	it('accepts no more handlers and guards', async () => {
		const router = new SocketRouter();
		await serve(new Application().websocket().socketRouter(router));

		expect(() => router.on(Ask, () => 0)).toThrow(
			new ApplicationError('on() must come before the application listens'),
		);
		expect(() => router.guard(() => true)).toThrow(ApplicationError);
		expect(() => router.authenticate(() => true)).toThrow(ApplicationError);
	});
});

async function connected(...routers: readonly SocketRouter<any>[]): Promise<TestClient> {
	const app = new Application({ logger: new RecordingLogger() }).websocket();
	for (const router of routers) app.socketRouter(router);
	const { ws } = await serve(app);
	return connectSpeaker(ws);
}
