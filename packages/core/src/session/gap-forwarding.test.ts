import { connectClient, connectSpeaker, RecordingLogger, until } from '@orijs/testkit';
import { SocketMessage, WsProvider } from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { Application, SocketRouter, type WebSocketOptions } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { GapForwarding } from './gap-forwarding.ts';
import type { Session } from './session.ts';
import { parse, sendTyped } from '../test-support/typed-client.ts';

const Subscribe = SocketMessage.define({ name: 'subscribe', data: z.string(), reply: z.null() });

it('a gap in a topic is sent to its subscribers, a gap in direct messages to all clients', async () => {
	const { app, connect, interrupt } = await interruptible((typed) => {
		typed.socketRouter(
			new SocketRouter().on(Subscribe, async (ctx) => {
				await ctx.subscribe(ctx.data);
				return null;
			}),
		);
	});
	const [inside, elsewhere, nowhere] = [await connect(), await connect(), await connect()];
	for (const [client, topic] of [
		[inside, 'lost'],
		[elsewhere, 'fine'],
	] as const) {
		sendTyped(client, 'subscribe', topic, 'a');
		await client.next();
	}

	const before = Date.now();
	await interrupt(['lost'], 1_000);
	await app.socket.broadcast('"marker"');
	expect((await inside.received(3)).slice(1).map(parse)).toEqual([gap('lost', 1_000), 'marker']);
	expect((await elsewhere.received(2)).slice(1)).toEqual(['"marker"']);
	expect(await nowhere.received(1)).toEqual(['"marker"']);
	const { data } = parse(inside.texts[1] ?? '') as { data: { until: number } };
	expect(data.until).toBeGreaterThanOrEqual(before);
	expect(data.until).toBeLessThanOrEqual(Date.now());

	await interrupt('all', 2_000);
	await app.socket.broadcast('"marker"');
	expect((await inside.received(6)).slice(3).map(parse)).toEqual([gap('lost', 2_000), gap('*', 2_000), 'marker']);
	expect((await elsewhere.received(5)).slice(2).map(parse)).toEqual([gap('fine', 2_000), gap('*', 2_000), 'marker']);
	expect((await nowhere.received(3)).slice(1).map(parse)).toEqual([gap('*', 2_000), 'marker']);
});

it('an endpoint with authorize alone sends gap notices as well', async () => {
	const { connect, interrupt } = await interruptible(() => {}, { authorize: { subscribe: () => true } });
	const client = await connect();
	sendTyped(client, '@subscribe', { topic: 'lost' }, 'a');
	await client.next();

	await interrupt(['lost'], 1_000);
	expect(parse(await client.next())).toEqual(gap('lost', 1_000));
});

it('a gap that is still held is sent before a stopping application disconnects its clients', async () => {
	const { app, connect, interruptOnly } = await interruptible(() => {}, { authorize: { subscribe: () => true } });
	const client = await connect();
	sendTyped(client, '@subscribe', { topic: 'lost' }, 'a');
	await client.next();

	interruptOnly(['lost'], 1_000);
	await app.stop();
	expect((await client.closed).code).toBe(1012);
	expect(client.texts.slice(1).map(parse)).toEqual([gap('lost', 1_000)]);
});

it('a plain client is sent no gap notices', async () => {
	const { app, connectPlain, interrupt } = await interruptible((raw) => {
		raw.onWebSocket({ open: (ws) => ws.subscribe('lost') });
	});
	const client = await connectPlain();

	await interrupt('all', 1_000);
	await app.socket.broadcast('"marker"');
	expect(await client.received(1)).toEqual(['"marker"']);
});

/** How long before the backend received it a message may have been published, in milliseconds. */
const SLACK_MS = 250;

function gap(topic: string, since: number): unknown {
	return { type: '@gap', data: { topic, since: since - SLACK_MS, until: expect.any(Number) as number } };
}

/** An application whose bus reports interruptions on demand. */
async function interruptible(build: (app: Application) => void, options: WebSocketOptions = {}) {
	const logger = new RecordingLogger();
	const bus = new MemoryBackend().createBus();
	const start = bus.start.bind(bus);
	let interrupted = (_: readonly string[] | 'all', __: number): void => {};
	bus.start = (handlers) => {
		interrupted = (topics, since) => handlers.interrupted(topics, since, 'interrupted by the test');
		return start(handlers);
	};
	const provider = new WsProvider({ bus, logger });
	const app = new Application({ logger }).websocket(provider, options);
	build(app);
	const { ws } = await serve(app);
	let gaps = 0;
	provider.onGap(() => gaps++);
	return {
		app,
		connect: () => connectSpeaker(ws, { withoutNotices: true }),
		connectPlain: () => connectClient(ws),
		/** Interrupts the bus, without waiting for the gap to be reported. */
		interruptOnly: (topics: readonly string[] | 'all', since: number) => interrupted(topics, since),
		/** Interrupts the bus, and resolves once the gap is reported. */
		async interrupt(topics: readonly string[] | 'all', since: number) {
			const before = gaps;
			interrupted(topics, since);
			await until(() => gaps > before, { what: 'the gap is reported' });
		},
	};
}

it('a gap of one client holds by the clocks of all nodes, and for messages that were in transit', () => {
	const watermark = { lagMs: 2_000, clocksBehindMs: 60_000, clocksAheadMs: 30_000 };
	const provider = { onGap: () => () => {}, watermark: () => watermark } as unknown as WsProvider;
	const notices: { data: { since: number; until: number } }[] = [];
	const session = { topics: new Set(['t']), send: (text: string) => notices.push(JSON.parse(text)) > 0 };
	const forwarding = new GapForwarding(provider, () => undefined);
	const now = Date.now();
	forwarding.notifyOne(session as unknown as Session, forwarding.earliestArriving());

	expect(notices).toHaveLength(2);
	for (const { data } of notices) {
		expect(data.since).toBeLessThanOrEqual(now - 62_000 + 100);
		expect(data.until).toBeGreaterThanOrEqual(now + 30_000);
	}
});

it('a client that other nodes could not reach for a while is notified of that', async () => {
	const logger = new RecordingLogger();
	const bus = new MemoryBackend().createBus();
	const subscribe = bus.subscribe.bind(bus);
	const held = Promise.withResolvers<void>();
	bus.subscribe = async (channels) => {
		if (channels.some((channel) => channel.startsWith('@'))) await held.promise;
		await subscribe(channels);
	};
	const app = new Application({ logger }).websocket(new WsProvider({ bus, logger }), {
		authorize: { subscribe: () => true },
	});
	const { ws } = await serve(app);
	const openedAt = Date.now();
	const client = await connectSpeaker(ws, { withoutNotices: true });
	await Bun.sleep(300);
	held.resolve();

	const notice = parse(await client.next()) as { data: { since: number; until: number } };
	expect(notice).toMatchObject({ type: '@gap', data: { topic: '*' } });
	expect(notice.data.since).toBeLessThanOrEqual(openedAt + 50);
	expect(notice.data.until).toBeGreaterThanOrEqual(openedAt + 300);
	expect(notice.data.until).toBeLessThanOrEqual(Date.now());
});
