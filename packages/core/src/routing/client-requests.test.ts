import { connectSpeaker, RecordingLogger, type TestClient } from '@orijs/testkit';
import {
	InvalidMessageDefinitionError,
	MessageValidationError,
	SocketMessage,
	SocketRequestError,
	UnknownSocketError,
	WsProvider,
} from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type AppSocket, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { allReceived, parse, sendTyped } from '../test-support/typed-client.ts';

const Pick = SocketMessage.define({
	name: 'pick',
	data: z.object({ from: z.array(z.string()), label: z.string().default('Pick one') }),
	reply: z.object({ picked: z.string().transform(Number) }),
});
const Note = SocketMessage.define({ name: 'note', data: z.string() });
const from = ['1', '2'];

describe.each(['this node', 'another node'])('a request to a client of %s', (where) => {
	it("sends the schema's output and resolves with the reply schema's output", async () => {
		const { app, client, socketId } = await requesting(where);

		const picked = app.socket.request(socketId, Pick, { from });
		const request = parse(await client.next());
		expect(request).toEqual({
			name: 'pick',
			data: { from, label: 'Pick one' },
			timestamp: expect.any(Number) as number,
			correlationId: expect.stringMatching(/^.{1,128}$/) as string,
		});
		sendTyped(client, '@reply', { picked: '2' }, String(request['correlationId']));
		expect(await picked).toEqual({ picked: 2 });
		await allReceived(client);
		expect(client.messages).toHaveLength(2);
	});

	it('resolves with its own reply, in whatever order replies arrive', async () => {
		const { app, client, socketId } = await requesting(where);
		const picked = ['a', 'b', 'c'].map((label) => app.socket.request(socketId, Pick, { from, label }));

		const requests = (await client.received(3)).map(parse);
		const labels = requests.map(({ data }) => (data as { label: string }).label);
		for (const [number, { correlationId }] of requests.entries()) {
			if (labels[number] !== 'a') sendTyped(client, '@reply', { picked: String(number) }, String(correlationId));
		}
		expect(await Promise.all(picked.slice(1))).toEqual([
			{ picked: labels.indexOf('b') },
			{ picked: labels.indexOf('c') },
		]);
		sendTyped(client, '@reply', { picked: '7' }, String(requests[labels.indexOf('a')]?.['correlationId']));
		expect(await picked[0]).toEqual({ picked: 7 });
	});

	it('rejects with the error the client replied with', async () => {
		const { app, client, socketId } = await requesting(where);
		const refusals: readonly [error: unknown, code: string, message: string][] = [
			[{ code: 'busy', message: 'Not now' }, 'busy', 'Not now'],
			[{ code: 7 }, 'internal', 'the client replied with an error'],
			[{ code: 'c'.repeat(65), message: 'm'.repeat(1_000) }, 'internal', 'm'.repeat(256)],
			['no', 'internal', 'the client replied with an error'],
			[null, 'internal', 'the client replied with an error'],
			[{}, 'internal', 'the client replied with an error'],
		];

		for (const [error, code, message] of refusals) {
			const picked = app.socket.request(socketId, Pick, { from });
			const { correlationId } = parse(await client.next());
			client.send(JSON.stringify({ type: '@reply', correlationId, data: { picked: '1' }, error }));
			const thrown = await picked.catch((reason: unknown) => reason);
			expect(thrown).toBeInstanceOf(SocketRequestError);
			expect(thrown).toMatchObject({
				messageName: 'pick',
				code,
				message: `pick failed: ${message} (${code})`,
			});
		}
	});

	it('rejects with invalid_reply and the cause when the reply does not match its schema', async () => {
		const { app, client, socketId } = await requesting(where);

		for (const data of [{ picked: 2 }, undefined]) {
			const picked = app.socket.request(socketId, Pick, { from });
			sendTyped(client, '@reply', data, String(parse(await client.next())['correlationId']));
			const thrown = await picked.catch((reason: unknown) => reason);
			expect(thrown).toMatchObject({ name: 'SocketRequestError', code: 'invalid_reply' });
			expect((thrown as Error).cause).toBeInstanceOf(MessageValidationError);
		}
	});

	it('rejects with timeout when no reply arrives in time, and ignores a late one', async () => {
		const { app, client, socketId } = await requesting(where);

		await expect(app.socket.request(socketId, Pick, { from }, { timeoutMs: 30 })).rejects.toMatchObject({
			code: 'timeout',
			message: 'pick failed: the client did not reply within 30 ms (timeout)',
		});
		sendTyped(client, '@reply', { picked: '2' }, String(parse(await client.next())['correlationId']));
		await allReceived(client);
		expect(client.messages).toHaveLength(2);
	});

	it('rejects without sending when its data does not match its schema or the client does not exist', async () => {
		const { app, client, socketId } = await requesting(where);

		await expect(app.socket.request(socketId, Pick, { from: 'all' } as never)).rejects.toThrow(MessageValidationError);
		await expect(app.socket.request(crypto.randomUUID(), Pick, { from })).rejects.toThrow(UnknownSocketError);
		await allReceived(client);
		expect(client.messages).toHaveLength(1);
	});
});

describe('a request', () => {
	it('for a message without a reply rejects and sends nothing', async () => {
		const { app, client, socketId } = await requesting('this node');

		const request = app.socket.request(socketId, Note as never, 'x' as never);
		await expect(request).rejects.toThrow(InvalidMessageDefinitionError);
		await allReceived(client);
		expect(client.messages).toHaveLength(1);
	});

	it('with an unknown option rejects', async () => {
		const { app, socketId } = await requesting('this node');
		const request = app.socket.request(socketId, Pick, { from }, { timeout: 30 } as never);
		await expect(request).rejects.toThrow('request(): there is no option timeout; options are timeoutMs');
	});

	it.each([0, -1, NaN, Infinity, 2 ** 31, '10', null])('with a timeoutMs of %j rejects', async (timeoutMs) => {
		const { app, socketId } = await requesting('this node');

		const request = app.socket.request(socketId, Pick, { from }, { timeoutMs: timeoutMs as number });
		await expect(request).rejects.toThrow(
			/^timeoutMs must be a number of milliseconds above 0 and up to 2147483647, not /,
		);
	});
});

interface Requesting {
	/** The requesting node. */
	readonly app: Application;
	readonly client: TestClient;
	readonly socketId: string;
}

/** Starts a requesting node, and connects a client to the same or another node. */
async function requesting(where: string): Promise<Requesting> {
	const backend = new MemoryBackend();
	const start = async () => {
		const logger = new RecordingLogger();
		const sockets: AppSocket[] = [];
		const app = new Application({ logger })
			.websocket(new WsProvider({ bus: backend.createBus(), logger }))
			.socketRouter(new SocketRouter())
			.onWebSocket({ open: (ws) => void sockets.push(ws) });
		const { ws } = await serve(app);
		return { app, sockets, url: ws };
	};
	const here = await start();
	const { sockets, url } = where === 'this node' ? here : await start();
	const client = await connectSpeaker(url);
	return { app: here.app, client, socketId: String(sockets[0]?.data.socketId) };
}
