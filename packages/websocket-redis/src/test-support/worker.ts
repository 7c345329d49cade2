// A process without a server, such as a cron job: it publishes, stops, and must then exit by itself.

import { RedisWsProvider } from '../index.ts';

const [socketId = ''] = process.argv.slice(2);
const provider = new RedisWsProvider({
	connection: String(process.env['REDIS_URL']),
	history: { 'kept:*': { size: 10, ttlMs: 60_000 } },
});

await provider.start();
await provider.publish('plain', 'awaited');
await provider.publish('plain', 'not for one', { except: socketId });
await provider.send(socketId, 'for one');
await provider.publish('kept:1', 'stored');
// Not awaited: `stop` sends what is pending.
for (let i = 0; i < 100; i++) void provider.publish('plain', `pending ${i}`);
await provider.stop();
