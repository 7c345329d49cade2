import { connectClient, connectSpeaker, RecordingLogger, type TestClient } from '@orijs/testkit';
import { SocketMessage, WsProvider } from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { Application, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { answersOf, parse, sendTyped } from '../test-support/typed-client.ts';

const Join = SocketMessage.define({ name: 'join', data: z.string(), reply: z.string() });
const Say = SocketMessage.define({ name: 'say', data: z.array(z.string()), reply: z.string() });
const Said = SocketMessage.define({ name: 'said', data: z.string() });

it("'self' leaves out the socket that sent the message, and ids others, on every node", async () => {
	const [a, b] = await twoNodes();
	const [ann, bob, eve] = [await join(a, 'room'), await join(a, 'room'), await join(b, 'room')];
	sendTyped(ann.client, 'say', ['room', bob.id, eve.id], 'said');

	for (const { client } of [ann, bob, eve]) await client.next((message) => String(message).includes('end'));
	await ann.client.next((message) => String(message).includes('"sent"'));
	expect([ann, bob, eve].map(({ client }) => textsOf(client))).toEqual([
		['to all', 'end'],
		['not self', 'not self, raw', 'to all', 'end'],
		['not self', 'not self, raw', 'not bob', 'to all', 'end'],
	]);
	expect(answersOf(ann.client).at(-1)).toEqual(['said', 'sent']);
});

it("'self' reaches the plain clients of a topic, and a plain client can leave itself out", async () => {
	const [a, b] = await twoNodes();
	const ann = await join(a, 'plain');
	const plain = [await connectClient(a.ws), await connectClient(b.ws)];
	for (const client of plain) expect(await client.next()).toBe('subscribed');
	sendTyped(ann.client, 'say', ['plain', crypto.randomUUID()], 'said');
	for (const client of [ann.client, ...plain]) await client.next((message) => String(message).includes('end'));
	const all = ['not self', 'not self, raw', 'not bob', 'to all', 'end'];
	expect(plain.map((client) => textsOf(client).slice(1))).toEqual([all, all]);
	expect(textsOf(ann.client)).toEqual(['to all', 'end']);

	const [one, other] = plain as [TestClient, TestClient];
	const forged = '{"name":"said","data":"forged","timestamp":1}';
	one.send(forged);
	expect(await other.next((message) => message === forged)).toBe(forged);
	const framed = await ann.client.next((message) => String(message).includes('forged'));
	expect(parse(framed)).toMatchObject({ name: '@text', data: forged });
	other.send('last');
	await one.next((message) => message === 'last');
	expect(one.texts).not.toContain(forged);
});

it("a route leaves out sockets by their ids, but has no 'self'", async () => {
	const [a, b] = await twoNodes();
	const [ann, bob, eve] = [await join(a, 'room'), await join(a, 'room'), await join(b, 'room')];
	const post = (...except: string[]) =>
		fetch(`${a.http}/say`, { method: 'POST', body: JSON.stringify({ except }) }).then(({ status }) => status);

	expect(await post(ann.id, eve.id)).toBe(204);
	expect(await post()).toBe(204);
	expect(await post('self')).toBe(500);
	for (const { client } of [ann, bob, eve]) await client.next((message) => String(message).includes('[]'));
	expect([ann, bob, eve].map(({ client }) => textsOf(client).length)).toEqual([1, 2, 1]);
});

it("is refused on a topic with history, also for 'self'", async () => {
	const [a] = await twoNodes();
	const ann = await join(a, 'kept:1');
	sendTyped(ann.client, 'say', ['kept:1'], 'said');
	await ann.client.next((message) => String(message).includes('"said"'));

	expect(answersOf(ann.client).at(-1)).toEqual(['said', 'ExceptWithHistoryError']);
	expect(textsOf(ann.client)).toEqual([]);
});

/** The data of the typed messages, and the raw texts, that a client has received. */
function textsOf(client: TestClient): unknown[] {
	const texts = client.texts.map((text) => (text.startsWith('{') ? parse(text) : { data: text }));
	return texts.filter((message) => !('type' in message)).map(({ data }) => data);
}

interface Node {
	readonly ws: string;
	readonly http: string;
}

async function join(node: Node, topic: string): Promise<{ readonly client: TestClient; readonly id: string }> {
	const client = await connectSpeaker(node.ws, { withoutNotices: true });
	sendTyped(client, 'join', topic, 'join');
	return { client, id: String(parse(await client.next())['data']) };
}

async function twoNodes(): Promise<[Node, Node]> {
	const backend = new MemoryBackend();
	return [await startNode(backend), await startNode(backend)];
}

function startNode(backend: MemoryBackend): Promise<Node> {
	const logger = new RecordingLogger();
	const provider = new WsProvider({
		bus: backend.createBus(),
		history: { 'kept:*': { size: 10, ttlMs: 60_000 } },
		logger,
	});
	const router = new SocketRouter()
		.on(Join, async (ctx) => {
			await ctx.subscribe(ctx.data);
			return ctx.socketId;
		})
		.on(Say, async (ctx) => {
			const [topic = '', bob = ''] = ctx.data;
			try {
				await ctx.emit(Said, topic, 'not self', { except: 'self' });
			} catch (error) {
				return (error as Error).name;
			}
			await ctx.publish(topic, 'not self, raw', { except: 'self' });
			await ctx.emit(Said, topic, 'not bob', { except: ['self', bob] });
			await ctx.emit(Said, topic, 'to all', { except: [] });
			await ctx.emit(Said, topic, 'end');
			return 'sent';
		});
	const app = new Application({ logger })
		.websocket(provider)
		.onWebSocket({
			async open(ws) {
				if (ws.subprotocol !== undefined) return;
				await ws.subscribe('plain');
				ws.send('subscribed');
			},
			message: (ws, text) => ws.publish('plain', text),
		})
		.socketRouter(router)
		.routes({
			'/say': async (req: Request) => {
				const { except } = (await req.json()) as { except: string[] };
				const given = except[0] === 'self' ? 'self' : except;
				await app.socket.emit(Said, 'room', `[${except.length || ''}]`, { except: given });
				return new Response(null, { status: 204 });
			},
		});
	return serve(app);
}
