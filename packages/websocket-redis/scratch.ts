import { startRedis } from '@orijs/testkit';
import { RedisWsProvider } from './src/index.ts';
const redis = await startRedis({});
const log = { debug() {}, info() {}, warn: (m: string, d: unknown) => console.log('warn', m, d), error: (m: string, d: unknown) => console.log('error', m, d) };
const t0 = performance.now();
const at = () => ((performance.now() - t0) / 1000).toFixed(2);
const make = async (name: string) => {
	const p = new RedisWsProvider({ connection: { host: redis.host, port: redis.port }, collectBeatsAbove: Number(process.argv[2] ?? 1), logger: log });
	p.onGap((g) => console.log(at(), name, 'gap', g));
	p.cluster.onNodesChange((c) => console.log(at(), name, 'change', c.joined.map((n) => n.id.slice(0, 4)), c.left.map((n) => n.id.slice(0, 4) + n.why)));
	await p.start();
	console.log(at(), name, p.nodeId.slice(0, 4));
	return p;
};
const nodes = [];
for (const n of ['a', 'b', 'c', 'd']) nodes.push(await make(n));
for (let i = 0; i < 14; i++) { await Bun.sleep(1000); console.log(at(), nodes.map((n) => `${n.cluster.nodes().length}/${n.watermark().lagMs}/${n.watermark().isLagging}`).join(' '), nodes[0]!.cluster.nodes().map((n) => n.ageMs)); }
await nodes.pop()!.stop();
console.log('stopped d', at());
await Bun.sleep(1000);
console.log(at(), nodes.map((n) => n.cluster.nodes().length));
for (const n of nodes) await n.stop();
await redis.stop();
process.exit(0);
