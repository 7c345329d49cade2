import { connectClient, connectSpeaker, type TestClient } from '@orijs/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { InProcWsProvider, type SocketData } from '../index.ts';

/** Serves two providers, the sockets of which are told apart by the path. */
async function serveTwo(isSetFirst: boolean) {
	const providers = { '/a': new InProcWsProvider(), '/b': new InProcWsProvider() };
	const providerOf = ({ data }: { data: SocketData }): InProcWsProvider => providers[data.data as '/a'];
	const server = Bun.serve<SocketData>({
		port: 0,
		fetch(req, server) {
			const subprotocol = req.headers.get('sec-websocket-protocol') ?? undefined;
			const data = {
				socketId: crypto.randomUUID(),
				data: new URL(req.url).pathname,
				topics: new Set(['t']),
				subprotocol,
			};
			const headers = new Headers(subprotocol === undefined ? {} : { 'sec-websocket-protocol': subprotocol });
			return server.upgrade(req, { data, headers }) ? undefined : new Response(null, { status: 400 });
		},
		websocket: {
			open: (ws) => void providerOf(ws).addConnection(ws),
			message: () => {},
			close: (ws) => void providerOf(ws).removeConnection(ws.data.socketId),
		},
	});
	onTestFinished(() => server.stop(true));
	const setServers = (): void => Object.values(providers).forEach((provider) => provider.setServer(server));
	if (isSetFirst) setServers();
	const open = (path: '/a' | '/b', count: number): Promise<TestClient[]> =>
		Promise.all(
			Array.from({ length: count }, (_, index) =>
				index % 2 === 0
					? connectClient(`ws://localhost:${server.port}${path}`)
					: connectSpeaker(`ws://localhost:${server.port}${path}`, { withoutNotices: true }),
			),
		);
	return { ...providers, server, setServers, open };
}

it.each([
	['before any socket', true],
	['once they have sockets', false],
])('providers of one server don’t share topics; it is set %s', async (_, isSetFirst) => {
	const { '/a': a, '/b': b, setServers, open, server } = await serveTwo(isSetFirst);
	for (const each of [a, b]) await each.start();
	const [ofA, ofB] = [await open('/a', 4), await open('/b', 4)];
	await a.publish('t', 'early a');
	await b.publish('t', 'early b');
	if (!isSetFirst) setServers();
	const later = await open('/b', 1);
	await Promise.all([a.publish('t', 'a'), b.publish('t', 'b')]);
	await Promise.all([a.broadcast('end'), b.broadcast('end')]);

	for (const client of ofA) expect(await client.received(3)).toEqual(['early a', 'a', 'end']);
	for (const client of ofB) expect(await client.received(3)).toEqual(['early b', 'b', 'end']);
	for (const client of later) expect(await client.received(2)).toEqual(['b', 'end']);

	// Plain sockets of the first provider also receive what the application publishes in Bun itself.
	server.publish('t', 'in Bun');
	await Promise.all([a.broadcast('end'), b.broadcast('end')]);
	const rest = async (client: TestClient, before: number, count: number) =>
		(await client.received(before + count)).slice(before);
	const [plain, speaker] = [['in Bun', 'end'], ['end']];
	for (const [index, client] of ofA.entries()) {
		const expected = index % 2 === 0 ? plain : speaker;
		expect(await rest(client, 3, expected.length)).toEqual(expected);
	}
	for (const client of ofB) expect(await rest(client, 3, 1)).toEqual(['end']);
});
