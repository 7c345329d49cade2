import { connectClient, RecordingLogger, until } from '@orijs/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { InProcWsProvider, type SocketData, SocketCoordinator, UnknownSocketError, WsProvider } from './index.ts';
import { MemoryBackend } from './testing/index.ts';
import { countOf } from './test-support/count-of.ts';
import { ticks } from './test-support/ticks.ts';
import { watchUnhandledRejections } from './test-support/unhandled-rejections.ts';

type Handler = (ws: Bun.ServerWebSocket<SocketData>, message: string) => unknown;

/** Starts a server that is wired by hand. Its provider and coordinator have separate loggers. */
async function serving(handle: (wired: Wired) => Handler): Promise<Wired & { readonly url: string }> {
	const providerLog = new RecordingLogger();
	const coordinatorLog = new RecordingLogger();
	const provider = new InProcWsProvider({ logger: providerLog, history: { 'kept:*': { size: 10, ttlMs: 60_000 } } });
	const coordinator = new SocketCoordinator({ provider, logger: coordinatorLog });
	const wired = { provider, coordinator, providerLog, coordinatorLog };
	const message = handle(wired);
	const server = Bun.serve<SocketData>({
		port: 0,
		fetch: (req, self) =>
			self.upgrade(req, { data: { socketId: crypto.randomUUID(), data: {}, topics: new Set() } })
				? undefined
				: new Response('upgrade failed', { status: 400 }),
		websocket: {
			open: (ws) => void coordinator.addConnection(ws),
			message: (ws, text) => void message(ws, String(text)),
			close: (ws) => void coordinator.removeConnection(ws.data.socketId),
		},
	});
	provider.setServer(server);
	await provider.start();
	onTestFinished(async () => {
		await provider.stop();
		await server.stop(true);
	});
	return { ...wired, url: `ws://localhost:${server.port}/` };
}

interface Wired {
	readonly provider: InProcWsProvider;
	readonly coordinator: SocketCoordinator;
	readonly providerLog: RecordingLogger;
	readonly coordinatorLog: RecordingLogger;
}

const uses: readonly [string, (wired: Wired, socketId: string) => Promise<unknown>][] = [
	['coordinator.subscribeToTopic', ({ coordinator }, id) => coordinator.subscribeToTopic(id, 't')],
	['provider.subscribe', ({ provider }, id) => provider.subscribe(id, 't')],
	['provider.publishFrom', ({ provider }, id) => provider.publishFrom(id, 't', 'x')],
	['provider.resume', ({ provider }, id) => provider.resume(id, 'kept:1', { rewind: 1 })],
];

describe.each(uses)('%s, called for a client that has left while its handler waited', (_, use) => {
	it.each(['awaited', 'ignored'])('is not a fault: it rejects, and is logged at most at debug (%s)', async (how) => {
		const results: Promise<unknown>[] = [];
		const left = Promise.withResolvers<void>();
		const wired = await serving((services) => async (ws) => {
			await left.promise;
			const result = use(services, ws.data.socketId);
			if (how === 'ignored') return void results.push(Promise.resolve());
			results.push(result.catch((error: unknown) => error));
		});
		const client = await connectClient(wired.url);
		client.send('go');
		await client.close();
		await until(() => wired.provider.getConnectionCount() === 0, { what: 'the client has left' });
		left.resolve();
		await until(() => results.length > 0, { what: 'the handler has gone on' });

		if (how === 'awaited') expect(await results[0]).toBeInstanceOf(UnknownSocketError);
		await ticks(5);
		const lines = [...wired.providerLog.lines, ...wired.coordinatorLog.lines];
		expect(lines.map(({ level }) => level)).toEqual(how === 'awaited' ? [] : ['debug']);
	});
});

it('a call for a socket that was never connected is a mistake, which is logged at warn', async () => {
	const { coordinator, coordinatorLog, providerLog } = await serving(() => () => {});
	void coordinator.subscribeToTopic(crypto.randomUUID(), 't');
	await until(() => coordinatorLog.lines.length > 0, { what: 'it is logged' });

	expect(coordinatorLog.lines).toMatchObject([{ level: 'warn', details: { err: { name: 'UnknownSocketError' } } }]);
	expect(providerLog.lines).toEqual([]);
});

describe('the logger of a coordinator', () => {
	it.each<[string, (coordinator: SocketCoordinator, id: string) => unknown, string]>([
		['subscribeToTopic', (coordinator, id) => coordinator.subscribeToTopic(id, 'no topic'), 'InvalidTopicError'],
		['unsubscribeFromTopic', (coordinator, id) => coordinator.unsubscribeFromTopic(id, ''), 'InvalidTopicError'],
		[
			'addConnection',
			(coordinator) => coordinator.addConnection({ data: {}, close() {}, send() {} } as never),
			'InvalidSocketDataError',
		],
	])('gets one line for a call that %s refuses; the logger of its provider gets none', async (_, call, name) => {
		const { coordinator, coordinatorLog, providerLog } = await serving(() => () => {});
		const watch = watchUnhandledRejections();
		void call(coordinator, crypto.randomUUID());
		await until(() => coordinatorLog.lines.length > 0, { what: 'it is logged' });

		expect(coordinatorLog.lines).toMatchObject([{ level: 'warn', details: { err: { name } } }]);
		expect(providerLog.lines).toEqual([]);
		expect(await watch.seen()).toEqual([]);
	});

	it('receives nothing from calls whose promises are awaited', async () => {
		const { coordinator, coordinatorLog, providerLog } = await serving(() => () => {});
		await expect(coordinator.subscribeToTopic(crypto.randomUUID(), 'no topic')).rejects.toThrow('Invalid topic');
		await ticks(5);

		expect([...coordinatorLog.lines, ...providerLog.lines]).toEqual([]);
	});
});

it('10,000 refused calls of clients result in a few lines that count them all', async () => {
	const count = 10_000;
	const { url, coordinatorLog } = await serving(({ coordinator }) => (ws, text) => {
		void coordinator.subscribeToTopic(ws.data.socketId, text);
		if (text === 'last') ws.send(text);
	});
	const client = await connectClient(url);
	for (let i = 0; i < count; i++) client.send(`\u001b[2J\u202e\u2028 topic ${i}`);
	client.send('last');
	await client.next();
	await ticks(5);

	expect(coordinatorLog.lines.length).toBeLessThan(20);
	expect(countOf(coordinatorLog, 'warn')).toBe(count);
	for (const { message } of coordinatorLog.lines) expect(message).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
	expect(coordinatorLog.lines[0]?.message).toContain(String.raw`"\u001b[2J\u{202e}\u{2028} topic 0"`);
});

it.each<[string, () => Partial<ConstructorParameters<typeof WsProvider>[0]>]>([
	['in one process', () => ({})],
	['with a bus', () => ({ bus: new MemoryBackend().createBus() })],
])('entries still unwritten when the provider stops are written then, %s', async (_, options) => {
	const log = new RecordingLogger();
	const provider = new WsProvider({ ...options(), logger: log });
	await provider.start();
	for (let i = 0; i < 5; i++) void provider.publish('no topic', 'x');
	await ticks(5);
	expect(log.problems).toHaveLength(1);
	await provider.stop();

	expect(log.problems.map(({ details }) => details?.['count'])).toEqual([undefined, 4]);
});
