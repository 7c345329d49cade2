import { connectClient, RecordingLogger, type TestClient } from '@orijs/testkit';
import {
	InvalidMessageDefinitionError,
	InvalidPayloadError,
	InvalidSocketIdError,
	MessageValidationError,
	SocketMessage,
	UnknownSocketError,
	UnsupportedValueError,
	WsProvider,
} from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type AppSocket } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { type Connection, twoNodes } from '../test-support/two-nodes.ts';
import { parse } from '../test-support/typed-client.ts';

const Notice = SocketMessage.define({ name: 'notice', data: z.string().transform((text) => text.toUpperCase()) });
const Any = SocketMessage.define({ name: 'any', data: z.any() });
const Unchecked = SocketMessage.define<string>('unchecked');

const KINDS = ['connect', 'connectSpeaker'] as const;

/** What a client has received: the data of typed messages, and texts as they are. */
function dataOf(client: TestClient): unknown[] {
	return client.texts.map((text) => (text.startsWith('{') ? parse(text)['data'] : text));
}

const idOf = ({ ws }: Connection): string => ws.data.socketId;

describe('app.socket with a message, on two nodes', () => {
	it.each(KINDS)('send: reaches one socket of either node, with the output of the schema (%s)', async (connect) => {
		const [here, there] = await twoNodes();
		const [ann, bob] = [await here[connect](), await there[connect]()];
		for (const connection of [ann, bob]) {
			await here.app.socket.send(idOf(connection), Notice, 'hi');
			await here.app.socket.send(idOf(connection), 'raw');
		}

		for (const { client } of [ann, bob]) {
			const [typed, raw] = await client.received(2);
			expect(parse(typed as string)).toEqual({ name: 'notice', data: 'HI', timestamp: expect.any(Number) as number });
			expect(raw).toBe('raw');
		}
	});

	it('broadcast: reaches every socket of every node once, of either kind', async () => {
		const [here, there] = await twoNodes();
		const nodes = [here, there];
		const all = await Promise.all(nodes.flatMap((node) => [node.connect(), node.connectSpeaker(), node.connect()]));
		await here.app.socket.broadcast(Notice, 'to all');
		await here.app.socket.broadcast('raw');

		for (const { client } of all) {
			const [typed] = await client.received(2);
			expect(parse(typed as string)).toEqual({
				name: 'notice',
				data: 'TO ALL',
				timestamp: expect.any(Number) as number,
			});
			expect(dataOf(client)).toEqual(['TO ALL', 'raw']);
		}
	});

	it.each(KINDS)('keeps the order of the calls while a schema takes its time (%s)', async (connect) => {
		const [here, there] = await twoNodes();
		const [ann, bob] = [await here[connect](), await there[connect]()];
		const gate = Promise.withResolvers<void>();
		const Slow = SocketMessage.define({
			name: 'slow',
			data: z.string().refine(async (text) => {
				await gate.promise;
				return text !== 'invalid';
			}),
		});
		const { socket } = here.app;
		for (const connection of [ann, bob]) {
			const id = idOf(connection);
			const bytes = Uint8Array.of(1);
			void socket.send(id, Slow, 'slow');
			void socket.send(id, 'raw');
			void socket.send(id, bytes);
			void socket.send(id, Notice, 'typed');
			// The message has the bytes of the time of the call.
			bytes[0] = 2;
		}
		const invalid = socket.broadcast(Slow, 'invalid');
		void socket.broadcast(Slow, 'slow to all');
		const last = socket.broadcast('raw to all');
		gate.resolve();

		await expect(invalid).rejects.toThrow(MessageValidationError);
		await last;
		for (const { client } of [ann, bob]) {
			await client.received(6);
			expect(client.messages.filter((message) => typeof message !== 'string')).toEqual([Uint8Array.of(1)]);
			// To one and to all are two orders.
			const data = dataOf(client);
			expect(data.filter((text) => !String(text).includes('all'))).toEqual(['slow', 'raw', 'TYPED']);
			expect(data.filter((text) => String(text).includes('all'))).toEqual(['slow to all', 'raw to all']);
		}
	});
});

it("an application's own JSON is no typed message, also while it waits for one", async () => {
	const [here, there] = await twoNodes();
	const ann = await there.connectSpeaker();
	const gate = Promise.withResolvers<void>();
	const Slow = SocketMessage.define({ name: 'slow', data: z.any().refine(() => gate.promise.then(() => true)) });
	const forged = '{"name":"notice","data":"forged","timestamp":1}';
	const { socket } = here.app;
	const sent = [
		socket.send(idOf(ann), forged),
		socket.send(idOf(ann), Slow, 1),
		socket.send(idOf(ann), forged),
		socket.broadcast(Slow, 1),
		socket.broadcast(forged),
	];
	gate.resolve();
	await Promise.all(sent);

	const frames = (await ann.client.received(5)).map(parse);
	expect(frames.map(({ name }) => String(name)).toSorted()).toEqual(['@text', '@text', '@text', 'slow', 'slow']);
	expect(frames.filter(({ name }) => name === '@text').map(({ data }) => data)).toEqual([forged, forged, forged]);
});

describe('app.socket.send and broadcast with a message', () => {
	it('reject as emit does, and send nothing', async () => {
		const { app, client, id } = await startAlone();
		const { socket } = app;
		const nobody = crypto.randomUUID();
		const outcomes: [Promise<void>, new (...args: never[]) => Error][] = [
			[socket.send(id, Notice, 7 as never), MessageValidationError],
			[socket.broadcast(Notice, 7 as never), MessageValidationError],
			[socket.send(id, Any, 10n), UnsupportedValueError],
			[socket.broadcast(Any, Number.NaN), UnsupportedValueError],
			[socket.send(id, Unchecked, 'x'), InvalidMessageDefinitionError],
			[socket.send(id, 'notice' as unknown as typeof Any, 'x'), InvalidMessageDefinitionError],
			[socket.broadcast('notice' as unknown as typeof Any, 'x'), InvalidMessageDefinitionError],
			[socket.send(id, { name: 'notice' } as never), InvalidPayloadError],
			[socket.broadcast({ text: 'x' } as never), InvalidPayloadError],
			[socket.send('nobody', Notice, 'x'), InvalidSocketIdError],
			[socket.send(nobody, Notice, 'x'), UnknownSocketError],
		];
		for (const [outcome, error] of outcomes) await expect(outcome).rejects.toBeInstanceOf(error);

		await socket.send(id, Any, undefined);
		await socket.broadcast('end');
		await client.next((message) => message === 'end');
		expect(client.texts).toEqual([expect.stringMatching(/^\{"name":"any","timestamp":\d+\}$/), 'end']);
	});

	it('log a failure whose promise is not awaited, once', async () => {
		const { app, id, log } = await startAlone();
		void app.socket.send(id, Notice, 7 as never);
		void app.socket.broadcast(Any, 10n);
		void app.socket.send(crypto.randomUUID(), Notice, 'x');
		await app.stop();

		const names = log.problems.map(({ details }) => (details?.['err'] as Error | undefined)?.name);
		expect(new Set(names)).toEqual(new Set(['MessageValidationError', 'UnsupportedValueError']));
		expect(names).toHaveLength(2);
	});
});

it('app.socket has the counts of its own node', async () => {
	const [here, there] = await twoNodes();
	const [ann, bob] = [await here.connect(), await there.connect()];
	await ann.ws.subscribe('room');
	await ann.ws.subscribe('hall');
	await bob.ws.subscribe('room');
	const { socket } = here.app;

	expect([idOf(ann), idOf(bob)].map((id) => socket.isConnected(id))).toEqual([true, false]);
	expect([socket.getConnectionCount(), socket.getTopicCount()]).toEqual([1, 2]);
	expect(['room', 'hall', 'attic'].map((topic) => socket.getTopicSubscriberCount(topic))).toEqual([1, 1, 0]);
});

async function startAlone() {
	const log = new RecordingLogger();
	const sockets: AppSocket[] = [];
	const app = new Application({ logger: log })
		.websocket(new WsProvider({ bus: new MemoryBackend().createBus(), logger: log }))
		.onWebSocket({ open: (ws) => void sockets.push(ws) });
	const client = await connectClient((await serve(app)).ws);
	return { app, client, log, id: String(sockets[0]?.data.socketId) };
}
