import type { Server } from 'bun';
import type { SocketData } from '@orijs/websocket';
import { Elysia, status } from 'elysia';
import type { Orders } from './orders.ts';

/** Serves the orders with Elysia. */
export async function serveWithElysia(orders: Orders, port: number): Promise<Server<SocketData>> {
	const { endpoint } = orders;
	const app = new Elysia()
		.get('/orders/:id', ({ params }) => orders.find(params.id) ?? status(404, 'Unknown order'))
		.put(
			'/orders/:id',
			async ({ params, body }) =>
				(await orders.change({ id: params.id, status: body })) ?? status(400, 'Invalid order'),
			{ parse: 'text' },
		);
	const server = Bun.serve({
		port,
		fetch: (req, server) => endpoint.handle(req, server) ?? app.fetch(req),
		websocket: endpoint.websocket,
	});
	await endpoint.start(server);
	return server;
}
