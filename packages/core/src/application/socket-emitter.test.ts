import { connectClient, RecordingLogger } from '@orijs/testkit';
import { SocketMessage, WsProvider } from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { describe, expect, it } from 'vitest';
import { Application } from '../index.ts';
import { serve } from '../test-support/serve.ts';

const OrderPaid = SocketMessage.define({
	name: 'order.paid',
	data: {
		'~standard': {
			version: 1,
			vendor: 'test',
			validate: (value: unknown) =>
				typeof value === 'number' ? { value: { total: value } } : { issues: [{ message: 'must be a number' }] },
		},
	},
});

describe('app.socket in an HTTP route', () => {
	it('publishes, sends, broadcasts and emits to the sockets of all nodes', async () => {
		const [here, there] = await twoShops();
		const [ann, bob, eve] = [
			await connectClient(here.ws),
			await connectClient(there.ws),
			await connectClient(there.ws),
		];
		const [annId, bobId] = [String(await ann.next()), String(await bob.next()), await eve.next()];
		for (const client of [ann, bob]) {
			client.send('subscribe');
			await client.next();
		}

		for (const path of ['/publish', `/send?to=${annId}`, `/send?to=${bobId}`, '/emit', '/broadcast']) {
			const answer = await fetch(here.http + path, { method: 'POST' });
			expect([path, answer.status]).toEqual([path, 204]);
		}
		const paid = {
			name: 'order.paid',
			data: { total: 42 },
			timestamp: expect.any(Number) as number,
			topic: 'orders',
		};
		for (const client of [ann, bob]) {
			const messages = (await client.received(6)).slice(2).map((text) => JSON.parse(String(text)) as unknown);
			expect(messages).toEqual([{ how: 'publish' }, { how: 'send' }, paid, { how: 'broadcast' }]);
		}
		expect((await eve.received(2)).slice(1)).toEqual(['{"how":"broadcast"}']);
	});

	it('rejects in a route that awaits it, which then answers 500', async () => {
		const [here] = await twoShops();
		const answer = await fetch(`${here.http}/send?to=nobody`, { method: 'POST' });

		expect(answer.status).toBe(500);
		expect(here.log.errors[0]?.details?.['err']).toMatchObject({ name: 'InvalidSocketIdError' });
	});

	it('does not affect a route that does not await it', async () => {
		const [here] = await twoShops();

		expect((await fetch(`${here.http}/forget`, { method: 'POST' })).status).toBe(204);
		const client = await connectClient(here.ws);
		await client.next();
		await fetch(`${here.http}/broadcast`, { method: 'POST' });
		expect(await client.next()).toBe('{"how":"broadcast"}');
	});
});

describe('app.socket', () => {
	it('exists once there is an endpoint, and rejects before listen() and after stop()', async () => {
		const app = new Application({ logger: new RecordingLogger() }).websocket(
			new WsProvider({ bus: new MemoryBackend().createBus(), logger: new RecordingLogger() }),
		);
		await expect(app.socket.publish('t', 'early')).rejects.toMatchObject({ name: 'ProviderNotStartedError' });

		await serve(app);
		await app.socket.publish('t', 'in time');
		await app.stop();
		await expect(app.socket.publish('t', 'late')).rejects.toMatchObject({ name: 'ProviderStoppedError' });
	});

	it('works in startup hooks', async () => {
		const app = new Application().websocket();
		app.onStartup(() => app.socket.broadcast('hello'));
		await serve(app);
	});
});

/** Two applications on one backend; each client receives its socket id and can subscribe to `orders`. */
async function twoShops() {
	const backend = new MemoryBackend();
	return [await openShop(backend), await openShop(backend)] as const;
}

async function openShop(backend: MemoryBackend) {
	const log = new RecordingLogger();
	const provider = new WsProvider({ bus: backend.createBus(), logger: log });
	const done = (): Response => new Response(null, { status: 204 });
	const app = new Application({ logger: log })
		.websocket(provider)
		.onWebSocket({
			open: (ws) => void ws.send(ws.data.socketId),
			async message(ws) {
				await ws.subscribe('orders');
				ws.send('subscribed');
			},
		})
		.routes({
			'/publish': async () => {
				await app.socket.publish('orders', '{"how":"publish"}');
				return done();
			},
			'/send': async (req) => {
				await app.socket.send(new URL(req.url).searchParams.get('to') ?? '', '{"how":"send"}');
				return done();
			},
			'/emit': async () => {
				await app.socket.emit(OrderPaid, 'orders', 42);
				return done();
			},
			'/broadcast': async () => {
				await app.socket.broadcast('{"how":"broadcast"}');
				return done();
			},
			'/forget': () => {
				void app.socket.publish('no such topic', 'x');
				void app.socket.send(crypto.randomUUID(), 'x');
				void app.socket.emit(OrderPaid, 'orders', 'no number');
				return done();
			},
		});
	return { log, ...(await serve(app)) };
}
