import { connectSpeaker, RecordingLogger, until } from '@orijs/testkit';
import { InProcWsProvider, SocketMessage, UnknownSocketError } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type MessageContext, type Limits, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { sendTyped } from '../test-support/typed-client.ts';

const Job = SocketMessage.define({ name: 'job', data: z.number(), reply: z.number() });
const ways: readonly [string, (number: number) => string][] = [
	['a router', (number) => JSON.stringify({ type: 'job', data: number, correlationId: String(number) })],
	['the message handler', String],
];

describe.each(ways)('messages sent to %s just before a disconnect', (_, message) => {
	it.each([1, 2, 64])(
		'are all handled in order, with a queue of %d; close is called once the last has started',
		async (queuedMessages) => {
			const { client, events, log, closed } = await working({ queuedMessages });
			const count = 40;

			for (let number = 0; number < count; number++) client.send(message(number));
			await Promise.all([client.close(4000, 'bye'), closed]);
			await until(() => events.includes(`end ${count - 1}`), { what: 'the last is handled' });
			const all = Array.from({ length: count }, (__, number) => [`begin ${number}`, `end ${number}`]).flat();
			expect(events.filter((what) => what !== 'close 4000 bye')).toEqual(all);
			expect(events.slice(-3)).toEqual([`begin ${count - 1}`, 'close 4000 bye', `end ${count - 1}`]);
			expect(log.errors).toEqual([]);
		},
	);
});

describe('the signal of a message', () => {
	it('is aborted when the socket closes, for the running handler and for later ones', async () => {
		const contexts: MessageContext<typeof Job>[] = [];
		const left = Promise.withResolvers<unknown>();
		const { client, closed } = await working({}, async (ctx) => {
			contexts.push(ctx);
			if (ctx.data > 0) return;
			expect(ctx.signal.aborted).toBe(false);
			ctx.signal.addEventListener('abort', () => left.resolve(ctx.signal.reason));
			await left.promise;
		});

		sendTyped(client, 'job', 0);
		sendTyped(client, 'job', 1);
		await client.close();
		await closed;
		expect(await left.promise).toMatchObject({ name: 'AbortError' });
		await until(() => contexts.length === 2, { what: 'the second is handled' });
		expect(contexts.map(({ signal }) => signal.aborted)).toEqual([true, true]);
	});

	it('is not aborted when the message is handled', async () => {
		const contexts: MessageContext<typeof Job>[] = [];
		const { client } = await working({}, async (ctx) => void contexts.push(ctx));

		sendTyped(client, 'job', 0, 'a');
		await client.next();
		expect(contexts[0]?.signal.aborted).toBe(false);
	});
});

it('a handler that fails because its client has disconnected is logged at debug, any other failure as an error', async () => {
	const { app, client, log } = await working({}, async (ctx) => {
		if (ctx.data === 0) await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
		if (ctx.data === 2) throw new Error('something else');
		await ctx.subscribe('room');
	});

	for (const number of [0, 1, 2]) sendTyped(client, 'job', number, String(number));
	await client.close();
	await log.untilErrors(1);
	expect(log.errors.map(({ details }) => details?.['err'])).toEqual([new Error('something else')]);
	await app.stop();
	const message = 'The handler was cut short because the client disconnected';
	expect(log.lines.filter(({ level }) => level === 'debug')).toEqual([
		{
			level: 'debug',
			message,
			details: expect.objectContaining({
				type: 'job',
				correlationId: '0',
				err: expect.any(UnknownSocketError) as Error,
			}) as object,
		},
		{ level: 'debug', message, details: { type: 'job', error: 'UnknownSocketError', count: 1 } },
	]);
});

async function working(limits: Limits, work: (ctx: MessageContext<typeof Job>) => Promise<void> = turns) {
	const log = new RecordingLogger();
	const events: string[] = [];
	const closed = Promise.withResolvers<void>();
	const router = new SocketRouter().on(Job, async (ctx) => {
		events.push(`begin ${ctx.data}`);
		await work(ctx);
		events.push(`end ${ctx.data}`);
		return ctx.data;
	});
	const app = new Application({ logger: log })
		.websocket(new InProcWsProvider({ logger: log }), { limits })
		.socketRouter(router)
		.onWebSocket({
			async message(_, message) {
				events.push(`begin ${String(message)}`);
				await turns();
				events.push(`end ${String(message)}`);
			},
			close(_, code, reason) {
				events.push(`close ${code} ${reason}`);
				closed.resolve();
			},
		});
	const { ws } = await serve(app);
	return { app, client: await connectSpeaker(ws), closed: closed.promise, events, log };
}

async function turns(): Promise<void> {
	for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}
