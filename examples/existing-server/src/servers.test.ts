import { until } from '@orijs/testkit';
import type { Logger } from '@orijs/websocket';
import { SocketClient } from '@orijs/websocket-client';
import { afterEach, describe, expect, test } from 'vitest';
import { serveWithBun } from './bun-server.ts';
import { serveWithElysia } from './elysia-server.ts';
import { serveWithHono } from './hono-server.ts';
import { GetOrder, type Order, OrderChanged, topicOf } from './messages.ts';
import { Orders } from './orders.ts';

const SERVERS = [
	['Bun.serve', serveWithBun],
	['Hono', serveWithHono],
	['Elysia', serveWithElysia],
] as const;

/** Prints only errors. */
const quiet: Logger = { debug() {}, info() {}, warn() {}, error: console.error };
const undo: (() => unknown)[] = [];

afterEach(async () => {
	for (const step of undo.splice(0).toReversed()) await step();
});

describe.each(SERVERS)('%s', (_, serve) => {
	async function start() {
		const orders = new Orders(quiet);
		const server = await serve(orders, 0);
		undo.push(
			() => orders.endpoint.stop(),
			() => server.stop(true),
		);
		const put = (id: string, status: string) =>
			fetch(`${server.url.origin}/orders/${id}`, {
				method: 'PUT',
				body: status,
				headers: { 'content-type': 'text/plain' },
			});
		return { orders, http: server.url.origin, put };
	}

	async function connect(http: string): Promise<SocketClient> {
		const client = new SocketClient(`${http.replace('http', 'ws')}/ws`);
		undo.push(() => client.close());
		await client.connect();
		return client;
	}

	test('a change by HTTP reaches the clients that follow the order', async () => {
		const { http, put } = await start();
		const client = await connect(http);
		const changes: Order[] = [];
		client.on(OrderChanged, (order) => void changes.push(order));
		await client.subscribe(topicOf('7'));

		expect(await (await put('7', 'paid')).json()).toEqual({ id: '7', status: 'paid' });
		await put('8', 'paid');
		await put('7', 'sent');
		await until(() => changes.length === 2, { what: 'both changes have arrived' });
		expect(changes).toEqual([
			{ id: '7', status: 'paid' },
			{ id: '7', status: 'sent' },
		]);
		expect(await client.request(GetOrder, { id: '8' })).toEqual({ id: '8', status: 'paid' });
		await expect(client.request(GetOrder, { id: '9' })).rejects.toMatchObject({ code: 'unknown_order' });
		await expect(client.subscribe('secrets')).rejects.toMatchObject({ code: 'forbidden' });
	});

	test('the routes are served as before', async () => {
		const { http, put } = await start();
		await put('7', 'paid');
		expect(await (await fetch(`${http}/orders/7`)).json()).toEqual({ id: '7', status: 'paid' });
		expect((await fetch(`${http}/orders/9`)).status).toBe(404);
		expect((await put('7', 'lost')).status).toBe(400);
		expect((await fetch(`${http}/other`)).status).toBe(404);
		expect((await fetch(`${http}/ws`)).status).toBe(426);
	});

	test('the endpoint can stop while the routes are still served', async () => {
		const { http, orders } = await start();
		const client = await connect(http);
		await orders.endpoint.stop();
		await until(() => client.state !== 'ready', { what: 'the client is disconnected' });
		expect((await fetch(`${http}/ws`)).status).toBe(503);
		expect((await fetch(`${http}/orders/9`)).status).toBe(404);
	});
});
