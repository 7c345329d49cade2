import { RedisWsProvider } from '../index.ts';
import { serveLocally } from './local-node.ts';
import { silentLogger } from './silent-logger.ts';

// A node whose Redis user may use only some channels. Prints the outcome of a forbidden subscription and of an allowed
// one.

const provider = new RedisWsProvider({
	connection: { port: Number(process.env['REDIS_PORT']), username: 'limited', password: 'pw' },
	logger: silentLogger,
});
const node = serveLocally(provider);
await provider.start();
const { id } = await node.connect();
const outcomes = await Promise.allSettled([provider.subscribe(id, 'closed:1'), provider.subscribe(id, 'open:1')]);
console.log(outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.name : 'subscribed')).join());
process.exit(0);
