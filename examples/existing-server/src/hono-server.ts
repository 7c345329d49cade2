import type { Server } from 'bun';
import type { SocketData } from '@orijs/websocket';
import { Hono } from 'hono';
import type { Orders } from './orders.ts';

/** Serves the orders with Hono. */
export async function serveWithHono(orders: Orders, port: number): Promise<Server<SocketData>> {
	const { endpoint } = orders;
	const app = new Hono()
		.get('/orders/:id', (c) => {
			const order = orders.find(c.req.param('id'));
			return order === undefined ? c.text('Unknown order', 404) : c.json(order);
		})
		.put('/orders/:id', async (c) => {
			const order = await orders.change({ id: c.req.param('id'), status: await c.req.text() });
			return order === undefined ? c.text('Invalid order', 400) : c.json(order);
		});
	const server = Bun.serve({
		port,
		fetch: (req, server) => endpoint.handle(req, server) ?? app.fetch(req, server),
		websocket: endpoint.websocket,
	});
	await endpoint.start(server);
	return server;
}
