/** Serves the orders on localhost with one of the frameworks: `main.ts hono`. */
import { serveWithBun } from './bun-server.ts';
import { serveWithElysia } from './elysia-server.ts';
import { serveWithHono } from './hono-server.ts';
import { Orders } from './orders.ts';

const SERVERS = { bun: serveWithBun, hono: serveWithHono, elysia: serveWithElysia };

const { PORT = '3000' } = process.env;
const [name = 'bun'] = process.argv.slice(2);
if (!Object.hasOwn(SERVERS, name)) {
	console.error(`Choose one of ${Object.keys(SERVERS).join(', ')}, not ${name}`);
	process.exit(1);
}

const orders = new Orders();
const server = await SERVERS[name as keyof typeof SERVERS](orders, Number(PORT));
console.log(`The orders are at ${server.url.origin}, served with ${name}`);

process.once('SIGTERM', () => void stop());
process.once('SIGINT', () => void stop());

/** Clients are disconnected in order, then HTTP requests in flight finish. */
async function stop(): Promise<void> {
	await orders.endpoint.stop({ graceMs: 5_000 });
	await server.stop();
	process.exit(0);
}
