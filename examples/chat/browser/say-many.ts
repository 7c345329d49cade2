/** Sends many messages to the lobby: `bun say-many.ts http://localhost:3000 100`. */
import { SocketClient } from '@orijs/websocket-client';
import { Say } from '../src/messages.ts';

const [url = '', count = '0'] = process.argv.slice(2);

// Uses several clients, because one visitor may not send that many messages per second.
const clients = Array.from(
	{ length: 20 },
	() =>
		new SocketClient(new URL('/ws', url), {
			auth: () => ({ visitor: crypto.randomUUID(), name: 'Many', room: 'lobby' }),
		}),
);
await Promise.all(clients.map((client) => client.connect()));
for (let number = 1; number <= Number(count); number++) {
	const data = { id: crypto.randomUUID(), room: 'lobby', text: `Message ${number}` };
	await clients[number % clients.length]?.request(Say, data);
}
await Promise.all(clients.map((client) => client.close()));
