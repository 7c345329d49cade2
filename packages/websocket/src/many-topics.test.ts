import { heapStats } from 'bun:jsc';
import { RecordingLogger, until } from '@orijs/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MemoryBackend } from './testing/index.ts';
import type { SocketData } from './sockets/websocket-connection.ts';
import { WsProvider } from './ws-provider.ts';
import type { WsProviderOptions } from './ws-provider-options.ts';

/** A multiple of what the cache of the history rules holds, so that the cache is equally full after each round. */
const TOPICS = 10_000;

/** Starts a provider with one socket, whose client ignores what it receives. */
async function startNode(options: WsProviderOptions): Promise<{ provider: WsProvider; id: string }> {
	const history = { 'history:*': { size: 10, ttlMs: 60_000 } };
	const provider = new WsProvider({ ...options, history, graceMs: 0, logger: new RecordingLogger() });
	const server = Bun.serve<SocketData>({
		port: 0,
		fetch: (req, self) =>
			self.upgrade(req, { data: { socketId: crypto.randomUUID(), data: {}, topics: new Set() } })
				? undefined
				: new Response('not a WebSocket', { status: 426 }),
		websocket: { open: (ws) => void provider.addConnection(ws), message() {} },
	});
	provider.setServer(server);
	await provider.start();
	const client = new WebSocket(`ws://localhost:${server.port}`);
	onTestFinished(async () => {
		client.close();
		await provider.stop();
		await server.stop(true);
	});
	await until(() => provider.getConnectionCount() === 1, { what: 'the socket is connected' });
	const [socket] = provider.getConnections();
	return { provider, id: socket?.data.socketId ?? '' };
}

async function inTurn(names: readonly string[], call: (name: string) => Promise<unknown>): Promise<void> {
	for (let at = 0; at < names.length; at += 500) await Promise.all(names.slice(at, at + 500).map(call));
}

function objectCount(): number {
	Bun.gc(true);
	return heapStats().objectCount;
}

function memoryBus(): WsProviderOptions {
	const backend = new MemoryBackend({ liveness: true });
	onTestFinished(() => backend.close());
	return { bus: backend.createBus() };
}

describe.each([
	['in one process', (): WsProviderOptions => ({})],
	['on a bus', memoryBus],
])('%s, nothing remains of a topic', (_, options) => {
	it.each<[string, string, (provider: WsProvider, id: string, topic: string) => Promise<unknown>]>([
		[
			'without history, after its last socket has left',
			'plain',
			(provider, id, topic) => provider.subscribe(id, topic),
		],
		['with history, after its last socket has left', 'history', (provider, id, topic) => provider.subscribe(id, topic)],
		['with history that was resumed', 'history', (provider, id, topic) => provider.resume(id, topic, { rewind: 5 })],
		[
			'with history that was resumed from an unknown position',
			'history',
			(provider, id, topic) => provider.resume(id, topic, { since: { epoch: 'unknown', offset: 1 } }),
		],
		['that was only read', 'history', (provider, _id, topic) => provider.history(topic)],
	])('%s', async (_name, prefix, use) => {
		const { provider, id } = await startNode(options());
		let round = 0;
		const visit = async (): Promise<void> => {
			const names = Array.from({ length: TOPICS }, (__, i) => `${prefix}:${round}:${i}`);
			round++;
			await inTurn(names, async (topic) => {
				await use(provider, id, topic);
				await provider.unsubscribe(id, topic);
			});
		};
		await visit();
		await visit();
		const before = objectCount();
		await visit();
		await visit();

		expect(provider.getTopicCount()).toBe(0);
		// The collector treats anything on the stack that looks like a pointer as one: a few batches may stay for a
		// moment.
		await until(() => objectCount() - before < TOPICS / 10, {
			what: () => `nothing remains of the topics; ${objectCount() - before} objects are left`,
		});
	});
});
