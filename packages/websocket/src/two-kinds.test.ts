import { connectClient } from '@orijs/testkit';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { SocketMessage } from './index.ts';
import { encodeBinaryFrame, readBinaryFrame } from './protocol/binary-frame.ts';
import { encodeEnvelope } from './protocol/envelope.ts';
import { SUBPROTOCOL } from './protocol/subprotocol.ts';
import type { SocketData, WebSocketConnection } from './sockets/websocket-connection.ts';
import { schema } from './test-support/schemas.ts';
import { type Member, messagesOf, openNode, type TestNode } from './test-support/test-node.ts';
import { MemoryBackend } from './testing/index.ts';
import type { Payload } from './wire/payload.ts';

const Said = SocketMessage.define({ name: 'said', data: schema<unknown>((value) => ({ value })) });
const HISTORY = { 'long:*': { size: 100, ttlMs: 60_000 } };
const FORGED = '{"name":"said","data":"forged","timestamp":1}';
const MAGIC_BYTES = encodeBinaryFrame(
	{ topic: 'a', timestamp: 1, position: { epoch: 'e', offset: 2, prev: 1 } },
	bytes(9),
);

/** What applications publish, and whether clients that speak the protocol could take it for a frame. */
const PAYLOADS: readonly [string, Payload, boolean][] = [
	['text', 'just text', false],
	['empty text', '', false],
	['a list', '[{"name":"said"}]', false],
	['a forged message', FORGED, true],
	['a forged position', '{"type":"@position","data":{"topics":["a"],"epoch":"e","offset":5}}', true],
	['a forged answer', '{"type":"@auth","correlationId":"@1","data":{}}', true],
	['JSON after blanks', ` \t\r\n${FORGED}`, true],
	['JSON after a byte order mark', `\ufeff${FORGED}`, true],
	['a brace', '{', true],
	['half a character', '{\ud800', true],
	['bytes', bytes(1, 2, 3), false],
	['no bytes', bytes(), false],
	['bytes with the prefix', MAGIC_BYTES, true],
	['a view of bytes with the prefix', new DataView(MAGIC_BYTES.buffer), true],
	['nothing but the prefix', MAGIC_BYTES.slice(0, 8), true],
	['part of the prefix', MAGIC_BYTES.slice(0, 7), false],
];

function bytes(...values: number[]): Uint8Array {
	return Uint8Array.from(values);
}

/** What a plain client receives: the payload as it is. */
function plainForm(payload: Payload): string | Uint8Array {
	if (typeof payload === 'string') return payload.toWellFormed();
	return payload instanceof Uint8Array ? payload : new Uint8Array((payload as DataView).buffer as ArrayBuffer);
}

/** Takes what a client that speaks the protocol has received out of its frame. */
function unframed(message: string | Uint8Array | undefined): [payload: unknown, isFramed: boolean] {
	if (typeof message === 'string' && message.trim().startsWith('{')) {
		const { name, data } = JSON.parse(message) as { name: string; data: unknown };
		// On topics with history, JSON carries halves of characters that a text frame can't.
		return [name === '@text' ? String(data).toWellFormed() : 'not a text frame', true];
	}
	const frame = message instanceof Uint8Array ? readBinaryFrame(message.slice().buffer) : undefined;
	return frame === undefined ? [message, false] : [new Uint8Array(frame.payload), true];
}

interface Members {
	readonly plain: Member;
	readonly speaker: Member;
}

async function membersOf(node: TestNode, topic: string): Promise<Members> {
	const topics = (): Set<string> => new Set([topic]);
	const plain = await node.connect({ topics: topics() });
	return { plain, speaker: await node.connect({ topics: topics(), subprotocol: SUBPROTOCOL }) };
}

/** Two nodes that share a backend, each with a client of either kind in a topic. */
async function twoNodes(topic: string) {
	const backend = new MemoryBackend();
	const open = (): Promise<TestNode> => openNode({ bus: backend.createBus(), history: HISTORY });
	const nodes = [await open(), await open()] as const;
	return { nodes, members: [await membersOf(nodes[0], topic), await membersOf(nodes[1], topic)] as const };
}

type Send = (node: TestNode, payload: Payload, to: Members) => Promise<unknown>;
const WAYS: readonly [string, Send][] = [
	['publish', ({ provider }, payload) => provider.publish('a', payload)],
	['broadcast', ({ provider }, payload) => provider.broadcast(payload)],
	[
		'send',
		({ provider }, payload, { plain, speaker }) =>
			Promise.all([provider.send(plain.id, payload), provider.send(speaker.id, payload)]),
	],
];

describe.each(WAYS)('%s', (_, send) => {
	it.each([0, 1] as const)('reaches both kinds of client in their own form, %d nodes away', async (away) => {
		const { nodes, members } = await twoNodes('a');
		const { plain, speaker } = members[away];
		for (const [, payload] of PAYLOADS) await send(nodes[0], payload, members[away]);

		await Promise.all([plain.client.received(PAYLOADS.length), speaker.client.received(PAYLOADS.length)]);
		expect(messagesOf(plain)).toEqual(PAYLOADS.map(([, payload]) => plainForm(payload)));
		expect(messagesOf(speaker).map(unframed)).toEqual(
			PAYLOADS.map(([, payload, isMistakable]) => [plainForm(payload), isMistakable]),
		);
	});
});

describe('publishFrom', () => {
	it.each(['plain', 'speaker'] as const)('a %s client reaches the others of both kinds', async (kind) => {
		const { nodes, members } = await twoNodes('a');
		const second = await membersOf(nodes[0], 'a');
		const sender = members[0][kind];
		for (const [, payload] of PAYLOADS) await nodes[0].provider.publishFrom(sender.id, 'a', payload);

		for (const { plain, speaker } of [second, members[1]]) {
			await Promise.all([plain.client.received(PAYLOADS.length), speaker.client.received(PAYLOADS.length)]);
			expect(messagesOf(plain)).toEqual(PAYLOADS.map(([, payload]) => plainForm(payload)));
			expect(messagesOf(speaker).map((message) => unframed(message)[0])).toEqual(
				PAYLOADS.map(([, payload]) => plainForm(payload)),
			);
		}
		await nodes[0].settled(sender);
		expect(messagesOf(sender)).toEqual([]);
	});
});

describe.each([
	['one node', 1, true],
	['one node without setServer', 1, false],
	['two nodes', 2, true],
	['two nodes without setServer', 2, false],
])('except, on %s', (_, count, setServer) => {
	/** Two clients of each kind on every node, in topic `a`. */
	async function crowd() {
		const backend = new MemoryBackend();
		const nodes: TestNode[] = [];
		const members: Members[] = [];
		for (let i = 0; i < count; i++) {
			const node = await openNode(count === 1 ? { setServer } : { bus: backend.createBus(), setServer });
			members.push(await membersOf(node, 'a'), await membersOf(node, 'a'));
			nodes.push(node);
		}
		return { nodes, members };
	}

	type Pick = (members: readonly Members[]) => string | readonly string[];
	const idsOf = ({ plain, speaker }: Members): string[] => [plain.id, speaker.id];
	it.each<[string, Pick]>([
		['a plain client', ([one]) => (one as Members).plain.id],
		['a client that speaks the protocol', ([one]) => (one as Members).speaker.id],
		['a plain client of the last node', (members) => (members.at(-1) as Members).plain.id],
		['a client of the last node that speaks the protocol', (members) => (members.at(-1) as Members).speaker.id],
		['one of each kind', ([one]) => idsOf(one as Members)],
		[
			'one of each kind on every node',
			(members) => [members[0], members.at(-1)].flatMap((some) => idsOf(some as Members)),
		],
		['all plain clients', (members) => members.map(({ plain }) => plain.id)],
		['all that speak the protocol', (members) => members.map(({ speaker }) => speaker.id)],
		['everyone', (members) => members.flatMap(idsOf)],
	])('leaves out %s; the others get every payload and typed message in their own form', async (__, pick) => {
		const { nodes, members } = await crowd();
		const { provider } = nodes[0] as TestNode;
		const except = pick(members);
		for (const [, payload] of PAYLOADS) void provider.publish('a', payload, { except });
		void provider.emit(Said, 'a', 'real', { except });
		await provider.publish('a', 'end');

		const isTyped = (message: unknown): boolean => String(message).startsWith('{"name":"said","data":"real"');
		const heard = async (member: Member, form: (message: string | Uint8Array) => unknown): Promise<unknown[]> => {
			await member.client.next((message) => message === 'end');
			return messagesOf(member).map((message) => (isTyped(message) ? 'typed' : form(message)));
		};
		const isLeftOut = ({ id }: Member): boolean => except.includes(id);
		for (const { plain, speaker } of members) {
			const plainForms = [...PAYLOADS.map(([, payload]) => plainForm(payload)), 'typed', 'end'];
			expect(await heard(plain, (message) => message)).toEqual(isLeftOut(plain) ? ['end'] : plainForms);
			const framed = PAYLOADS.map(([, payload, isMistakable]) => [plainForm(payload), isMistakable]);
			const end = ['end', false];
			expect(await heard(speaker, unframed)).toEqual(isLeftOut(speaker) ? [end] : [...framed, 'typed', end]);
		}
		expect(nodes.flatMap(({ log }) => log.problems)).toEqual([]);
	});
});

describe('a topic with history', () => {
	it.each([0, 1] as const)('sends plain clients the payloads alone, %d nodes away', async (away) => {
		const { nodes, members } = await twoNodes('long:a');
		const { plain, speaker } = members[away];
		for (const [, payload] of PAYLOADS) await nodes[0].provider.publish('long:a', payload);
		await nodes[0].provider.emit(Said, 'long:a', 'last');

		await plain.client.received(PAYLOADS.length + 1);
		expect(messagesOf(plain).slice(0, -1)).toEqual(PAYLOADS.map(([, payload]) => plainForm(payload)));
		expect(JSON.parse(String(messagesOf(plain).at(-1)))).toMatchObject({ name: 'said', data: 'last', topic: 'long:a' });
		// A `@position` precedes the first message.
		await speaker.client.received(PAYLOADS.length + 2);
		expect(messagesOf(speaker).slice(1, -1).map(unframed)).toEqual(
			PAYLOADS.map(([, payload]) => [plainForm(payload), true]),
		);
	});

	it('makes the form for plain clients once, however many of them catch up', async () => {
		const node = await openNode({ history: HISTORY });
		for (const payload of ['one', 'two']) await node.provider.publish('long:a', payload);
		const clients = await Promise.all([1, 2, 3, 4].map(() => node.connect()));
		const parse = vi.spyOn(JSON, 'parse');
		onTestFinished(() => parse.mockRestore());
		await Promise.all(clients.map(({ id }) => node.provider.resume(id, 'long:a', { rewind: 100 })));

		for (const { client } of clients) expect(await client.received(2)).toEqual(['one', 'two']);
		const frames = parse.mock.calls.filter(([text]) => text.startsWith('{"name":"@text"'));
		expect(frames).toHaveLength(2);
	});

	it('sends a plain client that catches up the payloads alone, and no position', async () => {
		const node = await openNode({ history: HISTORY });
		for (const [, payload] of PAYLOADS) await node.provider.publish('long:a', payload);
		const plain = await node.connect();
		expect(await node.provider.resume(plain.id, 'long:a', { rewind: 100 })).toMatchObject({ count: PAYLOADS.length });
		expect(await node.provider.resume(plain.id, 'long:b', {})).toMatchObject({ count: 0 });
		await node.provider.publish('long:a', 'live');
		await node.provider.publish('long:b', 'first');

		await node.settled(plain);
		expect(messagesOf(plain)).toEqual([...PAYLOADS.map(([, payload]) => plainForm(payload)), 'live', 'first']);
	});
});

describe('an envelope', () => {
	it.each([0, 1] as const)('reaches both kinds of client as it is, %d nodes away', async (away) => {
		const { nodes, members } = await twoNodes('a');
		const { provider } = nodes[0];
		const { plain, speaker } = members[away];
		const envelope = encodeEnvelope(Said.name, 'directly');
		await provider.emit(Said, 'a', 'emitted');
		for (const { id } of [plain, speaker]) await provider.sendEnvelope(id, envelope);
		await provider.broadcastEnvelope(encodeEnvelope(Said.name, 'to all'));

		for (const { client } of [plain, speaker]) {
			const messages = (await client.received(3)).map((message) => JSON.parse(String(message)) as { data: string });
			expect(messages.map(({ data }) => data).toSorted()).toEqual(['directly', 'emitted', 'to all']);
		}
		expect(plain.client.texts).toContain(envelope);
		expect(speaker.client.texts).toContain(envelope);
	});
});

describe('the kinds of sockets on a node', () => {
	/** A node that records what it publishes in Bun. */
	async function recording() {
		const node = await openNode({ setServer: false });
		const published: string[] = [];
		node.provider.setServer({
			publish(topic, data) {
				published.push(topic);
				return node.server.publish(topic, data);
			},
			subscriberCount: (topic) => node.server.subscriberCount(topic),
		});
		return { ...node, published };
	}

	it.each([
		['plain', undefined],
		['speakers', SUBPROTOCOL],
	])('cost one publish in a topic of %s, whatever is connected besides', async (_, subprotocol) => {
		const { provider, connect, published } = await recording();
		await membersOf({ connect } as TestNode, 'elsewhere');
		const members = [1, 2].map(() => connect({ topics: new Set(['a']), subprotocol }));
		const [one, other] = (await Promise.all(members)) as [Member, Member];
		await provider.publish('a', FORGED);
		await provider.publish('a', FORGED, { except: other.id });
		await provider.emit(Said, 'a', 'real');
		expect(published.splice(0)).toHaveLength(3);

		await provider.publish('nobody', FORGED);
		expect(published).toEqual([]);
		const [first, second] = await one.client.received(3);
		const heard = subprotocol === undefined ? [first, second] : [first, second].map((text) => unframed(text)[0]);
		expect(heard).toEqual([FORGED, FORGED]);
	});

	it('cost two publishes in a topic of both, until only one is left', async () => {
		const { provider, connect, published } = await recording();
		const { plain, speaker } = await membersOf({ connect } as TestNode, 'a');
		await provider.publish('a', FORGED);
		expect(published.splice(0)).toHaveLength(2);

		provider.removeConnection(plain.id);
		await provider.publish('a', FORGED);
		expect(published.splice(0)).toHaveLength(1);
		expect((await speaker.client.received(2)).map((message) => unframed(message)[0])).toEqual([FORGED, FORGED]);
	});

	it('are told apart without a server, too', async () => {
		const node = await openNode({ setServer: false });
		const { plain, speaker } = await membersOf(node, 'a');
		for (const [, payload] of PAYLOADS) await node.provider.publish('a', payload);
		await Promise.all([node.settled(plain), node.settled(speaker)]);
		expect(messagesOf(plain)).toEqual(PAYLOADS.map(([, payload]) => plainForm(payload)));
		expect(messagesOf(speaker).map((message) => unframed(message)[0])).toEqual(
			PAYLOADS.map(([, payload]) => plainForm(payload)),
		);
	});

	it.each([
		['no other is connected', []],
		['there are plain sockets elsewhere', [['b', undefined]]],
		['there are speakers elsewhere', [['b', SUBPROTOCOL]]],
		['all in the topic are speakers', [['a', SUBPROTOCOL]]],
		[
			'there are both kinds in the topic',
			[
				['a', SUBPROTOCOL],
				['a', undefined],
			],
		],
	] as const)('do not matter to a socket that the application has subscribed in Bun, %s', async (_, others) => {
		for (const bus of [undefined, new MemoryBackend().createBus()]) {
			const node = await openNode(bus && { bus });
			const { client, ws, id } = await node.connect();
			node.provider.removeConnection(id);
			ws.subscribe('a');
			let except: string = id;
			for (const [topic, subprotocol] of others)
				except = (await node.connect({ topics: new Set([topic]), subprotocol })).id;
			await node.provider.publish('a', FORGED);
			await node.provider.publish('a', 'text', { except });
			await client.next((message) => message === 'text');
			expect(client.messages).toEqual([FORGED, 'text']);
		}
	});

	it('what the application publishes in Bun reaches plain sockets only', async () => {
		const node = await openNode();
		const { plain, speaker } = await membersOf(node, 'a');
		node.server.publish('a', FORGED);
		await Promise.all([node.settled(plain), node.settled(speaker)]);
		expect([messagesOf(plain), messagesOf(speaker)]).toEqual([[FORGED], []]);
	});
});

describe('leaving sockets out', () => {
	/** Clients of a server of one's own, added to the provider. */
	async function serve(node: TestNode, websocket: { publishToSelf?: boolean } = {}) {
		const opened: Promise<void>[] = [];
		const sockets: WebSocketConnection[] = [];
		const server = Bun.serve<SocketData>({
			port: 0,
			fetch(req, self) {
				const subprotocol = new URL(req.url).pathname === '/speaker' ? SUBPROTOCOL : undefined;
				const data = { socketId: crypto.randomUUID(), data: {}, topics: new Set<string>(), subprotocol };
				return self.upgrade(req, { data }) ? undefined : new Response('not a WebSocket', { status: 426 });
			},
			websocket: {
				...websocket,
				open(ws) {
					sockets.push(ws);
					opened.push(node.provider.addConnection(ws));
				},
				message() {},
				close: (ws) => void node.provider.removeConnection(ws.data.socketId),
			},
		});
		onTestFinished(() => server.stop(true));
		const connect = async (kind: 'plain' | 'speaker') => {
			const client = await connectClient(`ws://localhost:${server.port}/${kind}`);
			await opened.at(-1);
			const id = (sockets.at(-1) as WebSocketConnection).data.socketId;
			await node.provider.subscribe(id, 'a', { by: 'client' });
			return { client, id };
		};
		return { server, clients: [await connect('plain'), await connect('speaker')] };
	}

	it('works over the sockets of several servers, without setServer', async () => {
		const node = await openNode({ setServer: false });
		const clients = [...(await serve(node)).clients, ...(await serve(node)).clients];
		const ids = clients.map(({ id }) => id);
		for (const [i, id] of ids.entries()) {
			await node.provider.publish('a', `all but ${i}`, { except: id });
			await node.provider.publishFrom(id, 'a', `from ${i}`);
		}
		await node.provider.publish('a', 'none but 0', { except: ids.slice(1) });
		await node.provider.publish('a', 'end');

		for (const [i, { client }] of clients.entries()) {
			await client.next((message) => message === 'end');
			const others = [0, 1, 2, 3].filter((other) => other !== i);
			const heard = others.flatMap((other) => [`all but ${other}`, `from ${other}`]);
			expect(client.messages).toEqual([...heard, ...(i === 0 ? ['none but 0'] : []), 'end']);
		}
	});

	it.each([true, false])('does not depend on publishToSelf: %s', async (publishToSelf) => {
		const node = await openNode({ setServer: false });
		const { server, clients } = await serve(node, { publishToSelf });
		node.provider.setServer(server);
		for (const { id } of clients) {
			await node.provider.publish('a', 'before');
			await node.provider.publish('a', `not to ${id}`, { except: id });
			await node.provider.publishFrom(id, 'a', `from ${id}`);
			await node.provider.publish('a', 'after');
		}
		await node.provider.publish('a', 'end');

		const [plain, speaker] = clients.map(({ id }) => id);
		for (const { client } of clients) await client.next((message) => message === 'end');
		const heard = (id: string | undefined): string[] => ['before', `not to ${id}`, `from ${id}`, 'after'];
		const others = ['before', 'after'];
		expect(clients[0]?.client.messages).toEqual([...others, ...heard(speaker), 'end']);
		expect(clients[1]?.client.messages).toEqual([...heard(plain), ...others, 'end']);
	});
});
