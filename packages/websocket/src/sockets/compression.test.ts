import { openRawWebSocket, type RawWebSocket, until } from '@orijs/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { InProcWsProvider, InvalidOptionError, type ServerOptions, type SocketData } from '../index.ts';

const LONG = 'x'.repeat(100);
const SHORT = 'x'.repeat(99);

/** A client that offers permessage-deflate, subscribed to `all`, and another socket. */
async function serve(options?: ServerOptions) {
	const provider = new InProcWsProvider();
	const server = Bun.serve<SocketData>({
		port: 0,
		fetch: (req, server) => {
			const data = { socketId: crypto.randomUUID(), data: undefined, topics: new Set(['all']) };
			return server.upgrade(req, { data }) ? undefined : new Response(null, { status: 400 });
		},
		websocket: { perMessageDeflate: true, open: (ws) => provider.addConnection(ws), message() {} },
	});
	onTestFinished(() => server.stop(true));
	provider.setServer(server, options);
	await provider.start();
	const connect = async (): Promise<RawWebSocket> => {
		const client = await openRawWebSocket(Number(server.port), {
			headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' },
		});
		onTestFinished(() => client.end());
		return client;
	};
	const client = await connect();
	await until(() => provider.getTopicSubscriberCount('all') === 1, { what: 'the client is subscribed' });
	const socketId = provider.getConnections()[Symbol.iterator]().next().value?.data.socketId as string;
	await connect();
	await until(() => provider.getTopicSubscriberCount('all') === 2, { what: 'the other is subscribed' });
	const otherId = [...provider.getConnections()].find((ws) => ws.data.socketId !== socketId)?.data.socketId as string;
	return { provider, client, socketId, otherId };
}

/** Sends a text in each way. Resolves with whether each was compressed for the client. */
async function sendAll(text: string, options?: ServerOptions): Promise<(boolean | undefined)[]> {
	const { provider, client, socketId, otherId } = await serve(options);
	await provider.publish('all', text);
	await provider.publishFrom(otherId, 'all', text);
	await provider.send(socketId, text);
	await provider.broadcast(text);
	await until(() => client.texts.length === 4, { what: 'all have arrived' });
	expect(client.texts).toEqual([text, text, text, text]);
	return client.textFrames.map(({ isCompressed }) => isCompressed);
}

describe('compressFromBytes', () => {
	it('compresses messages of at least this length, however they are sent', async () => {
		expect(await sendAll(LONG, { compressFromBytes: 100 })).toEqual([true, true, true, true]);
		expect(await sendAll(SHORT, { compressFromBytes: 100 })).toEqual([false, false, false, false]);
	});

	it('is by default what Bun does by itself', async () => {
		expect(await sendAll(LONG)).toEqual([true, true, false, false]);
	});

	it.each([-1, 1.5, Infinity, NaN, '1', null])('cannot be %j', (value) => {
		const compressFromBytes = value as number;
		const set = (): void => new InProcWsProvider().setServer({ publish: () => 0 }, { compressFromBytes });
		expect(set).toThrow(InvalidOptionError);
		expect(set).toThrow('compressFromBytes must be a whole number of bytes, 0 or more, not ');
	});
});
