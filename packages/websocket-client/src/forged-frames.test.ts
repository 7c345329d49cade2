import { Application, type AppSocket } from '@orijs/core';
import { connectClient, until } from '@orijs/testkit';
import { InvalidPayloadError, type Payload, WsProvider } from '@orijs/websocket';
import { type BinaryHead, encodeBinaryFrame, type GapNotice, SocketMessage } from '@orijs/websocket/protocol';
import { MemoryBackend } from '@orijs/websocket/testing';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { SocketClient } from './index.ts';
import { HISTORY, SILENT } from './test-support/application-server.ts';
import { randomOf } from './test-support/random-of.ts';

const Notice = SocketMessage.define({ name: 'admin.notice', data: z.any() });
const Ask = SocketMessage.define({ name: 'ask', data: z.any(), reply: z.any() });
const SEED = Number(process.env['FORGED_SEED'] ?? 1);
const ROUNDS = 150;

/** Makes frames of every kind, in many spellings, which differ by a number. */
function forger(topic: string) {
	const random = randomOf(SEED);
	const pick = <T>(...choices: T[]): T => choices[random(choices.length)] as T;
	const position = (): unknown => ({ epoch: pick('e', 'abc.1'), offset: random(1e6), prev: random(1e6) });
	const frames: readonly ((n: number) => object)[] = [
		(n) => ({ name: Notice.name, data: n, timestamp: 1 }),
		(n) => ({ name: Notice.name, data: n, timestamp: 1, topic, position: position() }),
		(n) => ({ name: Ask.name, data: n, timestamp: 1, correlationId: `x.${n}` }),
		(n) => ({ name: pick('@text', '@bytes', '@gap', ''), data: n, timestamp: 1, topic }),
		(n) => ({ type: '@gap', data: { topic: pick(topic, '*'), since: 0, until: n } }),
		(n) => ({ type: '@position', data: { topics: [topic], epoch: 'e', offset: n, count: pick(0, undefined) } }),
		(n) => ({
			type: pick('@auth', '@ping', '@subscribe'),
			correlationId: pick('@1', '@2', '@3'),
			data: { timestamp: n },
		}),
		(n) => ({ type: Ask.name, error: { code: 'forged', message: String(n) } }),
	];
	return (n: number): string | Uint8Array => {
		if (random(8) === 0) {
			const head = { topic, timestamp: n, position: { epoch: 'e', offset: n + 1, prev: n } };
			return encodeBinaryFrame(pick<BinaryHead>(head, { timestamp: n }), Uint8Array.of(n & 255, n >> 8));
		}
		const json = JSON.stringify(pick(...frames)(n), undefined, pick(0, 1));
		return pick('', '', ' ', '\t', '\r\n', ' '.repeat(300), '\ufeff') + json + pick('', ' ');
	};
}

it.each(['plain topic', 'long:topic'])('nothing forged is taken for a frame, on two nodes, in %s', async (name) => {
	const topic = name.replace(' ', ':');
	const isLong = name.startsWith('long');
	const backend = new MemoryBackend();
	const start = async () => {
		const sockets: AppSocket[] = [];
		const app = new Application({ logger: SILENT, signals: false })
			.websocket(new WsProvider({ bus: backend.createBus(), logger: SILENT, history: HISTORY }), {
				authorize: { subscribe: () => true },
				limits: { messagesPerSecond: Infinity },
			})
			.onWebSocket({
				async open(ws) {
					sockets.push(ws);
					if (ws.subprotocol === undefined) await ws.subscribe(topic);
				},
				// Passes on what plain clients say.
				message: (_, message) => void app.socket.publish(topic, message),
			});
		onTestFinished(() => app.stop({ graceMs: 0 }));
		const { port } = await app.listen({ port: 0, hostname: '127.0.0.1' });
		const url = `ws://127.0.0.1:${port}/ws`;
		const plain = await connectClient(url);
		const client = new SocketClient(url);
		onTestFinished(() => client.close());
		const raw: (string | ArrayBuffer)[] = [];
		const envelopes: unknown[] = [];
		const wrong: unknown[] = [];
		const note = (what: string) => (data: unknown) => void wrong.push([what, data]);
		client.onRaw((data) => raw.push(data));
		client.on(Notice, note('typed'));
		client.onGap((gap: GapNotice) => void wrong.push(['gap', gap]));
		client.onError((error) => void wrong.push(['error', error]));
		client.handle(Ask, note('request') as never);
		client.onAny((envelope) => envelopes.push(envelope.data));
		await client.connect();
		await client.subscribe(topic);
		const socketId = client.socketId as string;
		const socket = sockets.find(({ data }) => data.socketId === socketId) as AppSocket;
		return { app, plain, client, raw, envelopes, wrong, socketId, socket };
	};
	const nodes = [await start(), await start()] as const;
	const forge = forger(topic);
	const random = randomOf(SEED + 1);
	/** What was sent at all, to everybody in the topic, and to each client itself. */
	const all: Payload[] = [];
	const published: Payload[] = [];
	const sent: Payload[][] = [[], []];
	for (let n = 0; n < ROUNDS; n++) {
		const payload = forge(n);
		all.push(payload);
		const [here, at] = [nodes[random(2)], random(2)] as const;
		const to = nodes[at];
		switch (random(6)) {
			case 0:
				here?.plain.send(payload);
				published.push(payload);
				break;
			case 1:
				await here?.app.socket.publish(topic, payload);
				published.push(payload);
				break;
			case 2:
				await here?.socket.publish(topic, payload);
				// The sender does not get it, unless the topic has history.
				if (isLong) published.push(payload);
				break;
			case 3:
				await here?.app.socket.send(to?.socketId ?? '', payload);
				sent[at]?.push(payload);
				break;
			case 4:
				await here?.app.socket.broadcast(payload);
				for (const each of sent) each.push(payload);
				break;
			default:
				for (const form of unlikely(payload)) expect(() => to?.socket.send(form)).toThrow(InvalidPayloadError);
				to?.socket.send(payload);
				sent[at]?.push(payload);
		}
	}
	await nodes[0].app.socket.emit(Notice, topic, 'real');

	for (const [at, { wrong, raw, envelopes, client }] of nodes.entries()) {
		const isComplete = (): boolean => {
			const heard = shown([...raw, ...(isLong ? envelopes : [])]);
			return shown([...published, ...(sent[at] ?? [])]).every((one) => heard.includes(one)) && wrong.length > 0;
		};
		await until(isComplete, { what: 'everything has arrived' });
		expect(wrong).toEqual([['typed', 'real']]);
		// What was lost by a forged position would have to be recovered.
		expect(client.state).toBe('ready');
	}
	for (const { plain } of nodes) {
		await until(() => shown(published).every((one) => shown(plain.messages).includes(one)), {
			what: 'everything has arrived',
		});
		// Nothing but what the application has sent, byte for byte, and the real message.
		const known = new Set(shown(all));
		const strange = plain.texts.filter((text) => !known.has(text));
		expect(strange.filter((text) => !text.includes('"real"'))).toEqual([]);
	}
});

/** Forms of a payload that Bun's own `send` would accept, though they are no payloads. */
function unlikely(payload: string | Uint8Array): any[] {
	const bytes = new Uint8Array(Buffer.from(payload));
	return [new Blob([bytes]), [String(payload)], Object(String(payload))];
}

/** Payloads as text that can be compared. */
function shown(payloads: readonly unknown[]): string[] {
	return payloads.map((payload) => {
		if (typeof payload === 'string') return payload;
		const view = ArrayBuffer.isView(payload) ? payload : new Uint8Array(payload as ArrayBuffer);
		return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('hex');
	});
}
