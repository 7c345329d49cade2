import { connectSpeaker, RecordingLogger, type TestClient } from '@orijs/testkit';
import { SocketError, SocketMessage } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, ApplicationError, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { answersOf, sendTyped } from '../test-support/typed-client.ts';

const Do = SocketMessage.define({ name: 'do', data: z.string(), reply: z.string() });
const Other = SocketMessage.define({ name: 'other', data: z.string(), reply: z.string() });

describe('guardMessages()', () => {
	it('guards all messages of its router, before their own guards, and no others', async () => {
		const steps: string[] = [];
		const step = (name: string) => (): boolean => steps.push(name) > 0;
		const guarded = new SocketRouter()
			.guardMessages(step('first'))
			.on(Do, ({ data }) => data, { guards: [step('own')] })
			.guardMessages(step('second'));
		const client = await connected(
			guarded,
			new SocketRouter().on(Other, ({ data }) => data),
		);

		sendTyped(client, 'do', 'it', 'a');
		sendTyped(client, 'other', 'thing', 'b');
		await client.received(2);
		expect(steps).toEqual(['first', 'second', 'own']);
		expect(answersOf(client)).toEqual([
			['a', 'it'],
			['b', 'thing'],
		]);
	});

	it('gets validated data and the state; refuses with any result but true, or with its SocketError', async () => {
		const handled: string[] = [];
		const router = new SocketRouter<{ name: string }>()
			.guard((ctx) => {
				ctx.state.name = 'Ada';
				return true;
			})
			.guardMessages(async ({ data, state, type }) => {
				if (data === 'muted') throw new SocketError('muted', 'You are muted');
				return data === `${type} by ${state.name}`;
			})
			.on(Do, ({ data }) => {
				handled.push(data);
				return data;
			});
		const client = await connected(router);

		sendTyped(client, 'do', 'do by Ada', 'allowed');
		sendTyped(client, 'do', 'do by Eve', 'refused');
		sendTyped(client, 'do', 'muted', 'muted');
		sendTyped(client, 'do', 7, 'invalid');
		await client.received(4);
		expect(answersOf(client)).toEqual([
			['allowed', 'do by Ada'],
			['refused', 'forbidden'],
			['muted', 'muted'],
			['invalid', 'invalid_data'],
		]);
		expect(handled).toEqual(['do by Ada']);
	});

	it('runs inside of middleware', async () => {
		const codes: unknown[] = [];
		const router = new SocketRouter()
			.use((_, next) =>
				next().catch((error: SocketError) => {
					codes.push(error.code);
					throw error;
				}),
			)
			.guardMessages(() => false)
			.on(Do, ({ data }) => data);
		const client = await connected(router);

		sendTyped(client, 'do', 'it', 'a');
		await client.next();
		expect(answersOf(client)).toEqual([['a', 'forbidden']]);
		expect(codes).toEqual(['forbidden']);
	});

	it.each([undefined, true, [() => true]])('refuses %j, which is not a function', (guard) => {
		expect(() => new SocketRouter().guardMessages(guard as never)).toThrow(
			'guardMessages(): guard must be a function, not ',
		);
	});

	it('throws once the application listens', async () => {
		const router = new SocketRouter();
		await connected(router);
		expect(() => router.guardMessages(() => true)).toThrow(
			new ApplicationError('guardMessages() must come before the application listens'),
		);
	});
});

async function connected(...routers: readonly SocketRouter<any>[]): Promise<TestClient> {
	const app = new Application({ logger: new RecordingLogger() }).websocket();
	for (const router of routers) app.socketRouter(router);
	return connectSpeaker((await serve(app)).ws);
}
