/** Runs the chat on two nodes: a Redis, and two server processes that are connected only through it. */
import { type RedisServer, startRedis } from '@orijs/testkit';
import { type NodeProcess, startNodeProcess } from './node-process.ts';

const PORTS = [3001, 3002];

let redis: RedisServer | undefined;
let nodes: readonly NodeProcess[] = [];
let stopping: Promise<void> | undefined;

// One Ctrl-C may arrive several times, forwarded by each `bun run` in between. Nodes that hang are killed anyway.
process.on('SIGINT', stopOnSignal).on('SIGTERM', stopOnSignal);
try {
	await start();
	const first = await Promise.race(nodes.map((node) => node.exited));
	throw new Error(`A node exited with ${first}; stopping the others.`);
} catch (error) {
	// While stopping, nodes are expected to exit.
	if (stopping === undefined) {
		console.error(error instanceof Error ? error.message : error);
		await stop();
		process.exit(1);
	}
}

async function start(): Promise<void> {
	const { url, port } = (redis = await startRedis());
	nodes = PORTS.map((port) => startNodeProcess({ port, redisUrl: url }));
	const ports = await Promise.all(nodes.map((node) => node.listening));
	console.log(`
Two nodes, one chat, over a Redis on port ${port}:

${ports
	.toSorted((a, b) => a - b)
	.map((port) => `  http://localhost:${port}`)
	.join('\n')}

Open both: tabs on either one talk with each other. Ctrl-C stops everything.
`);
}

function stopOnSignal(): void {
	void stop().then(() => process.exit(0));
}

/** Idempotent. */
function stop(): Promise<void> {
	stopping ??= stopAll();
	return stopping;
}

/** Stops the nodes before Redis, through which they send their last messages. */
async function stopAll(): Promise<void> {
	await Promise.all(nodes.map((node) => node.stop()));
	await redis?.stop();
}
