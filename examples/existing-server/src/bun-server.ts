import type { Server } from 'bun';
import type { SocketData } from '@orijs/websocket';
import type { Orders } from './orders.ts';

/** Serves the orders with nothing but Bun. */
export async function serveWithBun(orders: Orders, port: number): Promise<Server<SocketData>> {
	const { endpoint } = orders;
	const server = Bun.serve({
		port,
		routes: {
			'/orders/:id': {
				GET: ({ params }) => {
					const order = orders.find(params.id);
					return order === undefined ? new Response('Unknown order', { status: 404 }) : Response.json(order);
				},
				PUT: async (req) => {
					const order = await orders.change({ id: req.params.id, status: await req.text() });
					return order === undefined ? new Response('Invalid order', { status: 400 }) : Response.json(order);
				},
			},
		},
		fetch: (req, server) => endpoint.handle(req, server) ?? new Response('Not Found', { status: 404 }),
		websocket: endpoint.websocket,
	});
	await endpoint.start(server);
	return server;
}
