/** Runs the chat on two nodes: two server processes that are connected only through a Redis, which this also starts. */
import { type RedisServer, startRedis } from '@orijs/testkit';
import { type NodeProcess, startNodeProcess } from './node-process.ts';

const PORTS = [3001, 3002];
/** The same on both nodes. */
const moderatorKey = crypto.randomUUID();

let redis: RedisServer | undefined;
let nodes: readonly NodeProcess[] = [];
let stopping: Promise<void> | undefined;

// The listeners are added with `on`, not `once`, because one Ctrl-C can arrive several times, forwarded by each
// `bun run` in between. There is no forced exit, because nodes that hang are killed anyway.
process.on('SIGINT', stopOnSignal).on('SIGTERM', stopOnSignal);
try {
	await start();
	const first = await Promise.race(nodes.map((node) => node.exited));
	throw new Error(`A node exited with ${first}; stopping the others.`);
} catch (error) {
	// Once `stop` has been called, nodes are expected to exit.
	if (stopping === undefined) {
		console.error(error instanceof Error ? error.message : error);
		await stop();
		process.exit(1);
	}
}

async function start(): Promise<void> {
	const { url, port } = (redis = await startRedis());
	nodes = PORTS.map((port) => startNodeProcess({ port, redisUrl: url, moderatorKey }));
	const ports = await Promise.all(nodes.map((node) => node.listening));
	console.log(`
Two nodes, one chat, over a Redis on port ${port}:

${ports
	.toSorted((a, b) => a - b)
	.map((port) => `  http://localhost:${port}`)
	.join('\n')}

Open both: tabs on either one talk with each other. With ?key=${moderatorKey} after the address, you can remove
people from rooms. Ctrl-C stops everything.
`);
}

function stopOnSignal(): void {
	void stop().then(() => process.exit(0));
}

/** Stops everything. Later calls return the first call's promise. */
function stop(): Promise<void> {
	stopping ??= stopAll();
	return stopping;
}

/** Stops the nodes before Redis, because they still send their last messages through it. */
async function stopAll(): Promise<void> {
	await Promise.all(nodes.map((node) => node.stop()));
	await redis?.stop();
}
