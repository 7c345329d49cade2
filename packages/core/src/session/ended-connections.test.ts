import { connectSpeaker, RecordingLogger, until } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type Limits, SocketRouter } from '../index.ts';
import { allReceived, sendTyped } from '../test-support/typed-client.ts';
import { serve } from '../test-support/serve.ts';

const Job = SocketMessage.define({ name: 'job', data: z.string() });

it.each<[string, Limits]>([
	['from one address', { connectionsPerAddress: 2 }],
	['in total', { connections: 2 }],
])(
	'as many clients as may connect %s can leave with messages waiting; messages of further clients are dropped',
	async (_, limits) => {
		let gate = Promise.withResolvers<void>();
		const handled: string[] = [];
		let closed = 0;
		const router = new SocketRouter().on(Job, (ctx) => {
			handled.push(ctx.data);
			return gate.promise;
		});
		const app = new Application({ logger: new RecordingLogger() })
			.websocket({ limits })
			.socketRouter(router)
			.onWebSocket({ close: () => void closed++ });
		const { ws } = await serve(app);
		/** Connects, sends three messages and leaves. */
		const visit = async (name: string): Promise<void> => {
			const client = await connectSpeaker(ws);
			for (let i = 1; i <= 3; i++) sendTyped(client, 'job', `${name}${i}`);
			await allReceived(client);
			await client.close();
		};

		for (const name of ['a', 'b', 'c', 'd']) await visit(name);
		// The close handlers of the first two wait for their messages to start.
		await until(() => closed === 2, { what: 'the messages of the last two are dropped' });
		expect(handled).toEqual(['a1', 'b1', 'c1', 'd1']);
		expect(app.refusals.abandoned).toBe(2);

		gate.resolve();
		await until(() => closed === 4, { what: 'the others are handled' });
		expect(handled.slice(4).toSorted()).toEqual(['a2', 'a3', 'b2', 'b3']);

		handled.length = 0;
		gate = Promise.withResolvers();
		for (const name of ['e', 'f']) await visit(name);
		gate.resolve();
		await until(() => closed === 6, { what: 'there is room for later clients again' });
		expect(handled.toSorted()).toEqual(['e1', 'e2', 'e3', 'f1', 'f2', 'f3']);
		expect(app.refusals.abandoned).toBe(2);
	},
);
