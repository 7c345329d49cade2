import { until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { NodeVersionError, SocketMessage } from '../index.ts';
import { MemoryBackend } from '../testing/index.ts';
import { schema } from '../test-support/schemas.ts';
import { silentHandlers } from '../test-support/silent-handlers.ts';
import { openNode, type TestNode } from '../test-support/test-node.ts';
import { decodeFrame, encodeMessages, randomOrigin } from '../wire/frame.ts';
import { ForNode } from '../wire/frame-messages.ts';

const any = schema<unknown>((value) => ({ value }));
const Ask = SocketMessage.define({ name: 'ask', data: any, reply: any });

/** A node, and a program that publishes on its backend as other nodes would. */
interface Scene {
	readonly node: TestNode;
	/** The id that the program goes by. */
	readonly peerId: string;
	/** The texts that were sent to the program, or to all nodes. */
	readonly received: string[];
	/** Sends a text to the node. */
	readonly send: (text: string) => Promise<unknown>;
	/** Resolves with the answer to a text that has number 9. */
	readonly answerTo: (text: string) => Promise<string>;
}

async function openScene(): Promise<Scene> {
	const backend = new MemoryBackend();
	const node = await openNode({ bus: backend.createBus() });
	const bus = backend.createBus();
	const peerId = crypto.randomUUID();
	const received: string[] = [];
	const origin = randomOrigin();
	await bus.start({
		...silentHandlers,
		deliver: (_, bytes) => {
			const frame = decodeFrame(bytes, origin);
			if (typeof frame === 'string' || frame.type !== 'messages') return;
			for (const message of frame.messages) if (message instanceof ForNode) received.push(message.text);
		},
	});
	await bus.subscribe(['*', `!${peerId}`]);
	const channel = `!${node.provider.nodeId}`;
	const send = async (text: string): Promise<unknown> =>
		bus.publish(channel, encodeMessages({ origin, shard: 0, incarnation: 0 }, [new ForNode(text)]));
	const answerTo = async (text: string): Promise<string> => {
		await send(text);
		const answer = (): string | undefined => received.find((each) => / 9 /.test(each));
		await until(() => answer() !== undefined, { what: 'the answer has arrived' });
		return answer() as string;
	};
	return { node, peerId, received, send, answerTo };
}

/** Resolves with the number of the question that the node has sent to all. */
async function asked({ received }: Scene): Promise<string> {
	const ask = (): string | undefined => received.find((text) => / ask /.test(text));
	await until(() => ask() !== undefined, { what: 'the question has arrived' });
	return (ask() as string).split(' ')[3] as string;
}

describe('texts that no node sends', () => {
	it('are skipped, and logged once', async () => {
		const { node, peerId, send } = await openScene();
		const member = await node.connect({ topics: new Set(['t']) });
		const all = JSON.stringify({
			do: 'disconnect',
			target: 'all',
			except: [],
			code: 'x',
			message: '',
			reconnect: true,
		});
		const texts = [
			'#',
			'#1',
			`#1 ask ${peerId}`,
			`#1 ask ${peerId} x ${all}`,
			`#1 ask ${'x'.repeat(36)} 9 ${all}`,
			`#1 ask ${node.provider.nodeId} 9 ${all}`,
			`#1 ASK ${peerId} 9 ${all}`,
			`#1 command ${peerId} 9 ${all}`,
			`#-1 ask ${peerId} 9 ${all}`,
			`#1  ask ${peerId} 9 ${all}`,
			`#1 tell ${peerId} 0 {"name":7}`,
			`#1 tell ${peerId} 0 [`,
			`#1 tell ${peerId} 0 {"name":"x","data":1,"values":[["date","y"]]}`,
			`#1 answer ${peerId} 1 {}`,
			`#1 answer ${peerId} 999 `,
			`#1 failed ${peerId} 999 `,
			`#1 version ${peerId} 999 `,
			`#${'9'.repeat(100_000)}`,
		];
		for (const text of texts) await send(text);
		await node.settled(member);

		expect(node.provider.isConnected(member.id)).toBe(true);
		expect(node.log.problems).toEqual([
			{ level: 'warn', message: expect.stringContaining('Skipping unreadable texts') },
		]);
	});

	it.each<[string, string]>([
		['no JSON', '{'],
		['no object', '7'],
		['null', 'null'],
		['nothing', ''],
		['an array', '[]'],
		['an unknown action', '{"do":"format","target":"all","except":[]}'],
		['no target', '{"do":"disconnect","except":[],"code":"x","message":"","reconnect":true}'],
		['a wrong target', '{"do":"unsubscribe","target":{"socketId":"x"},"except":[],"topic":"t"}'],
		['two targets', '{"do":"unsubscribe","target":{"userId":"x","topic":"t"},"except":[],"topic":"t"}'],
		['a wrong topic', '{"do":"subscribe","target":"all","except":[],"topic":"a b","timeoutMs":1}'],
		['a wrong time', '{"do":"subscribe","target":"all","except":[],"topic":"t","timeoutMs":"1"}'],
		['a wrong past', '{"do":"subscribe","target":"all","except":[],"topic":"t","timeoutMs":1,"past":1}'],
		['a wrong code', '{"do":"disconnect","target":"all","except":[],"code":"X Y","message":"","reconnect":true}'],
		['no reconnect', '{"do":"disconnect","target":"all","except":[],"code":"x","message":""}'],
		['a wrong message', '{"do":"unsubscribe","target":"all","except":[],"topic":"t","message":7}'],
		['a wrong except', '{"do":"unsubscribe","target":"all","except":["x"],"topic":"t"}'],
		['no except', '{"do":"unsubscribe","target":"all","topic":"t"}'],
		['a wrong limit', '{"do":"connections","target":"all","except":[],"limit":10001}'],
		['a wrong count', '{"do":"count","topic":7}'],
		['a message without a name', '{"do":"message"}'],
		['a message with wrong values', '{"do":"message","name":"ask","data":1,"values":[["date"]]}'],
	])('such as questions with %s do nothing, and get that for an answer', async (_, content) => {
		const { node, peerId, answerTo } = await openScene();
		node.provider.cluster.on(Ask, () => 1);
		const member = await node.connect({ topics: new Set(['t']), userId: 'x' });
		expect(await answerTo(`#1 ask ${peerId} 9 ${content}`)).toBe(`#1 failed ${node.provider.nodeId} 9 `);
		await node.settled(member);

		expect([...member.ws.data.topics]).toEqual(['t']);
		expect(node.log.problems).toEqual([]);
	});
});

describe('forged answers', () => {
	it.each<[string, string, number]>([
		['valid', '{"sockets":3}', 3],
		['without numbers', '{}', 0],
		['an array', '[1,2]', 0],
		['with absurd numbers', '{"sockets":1e308,"asked":-1}', 0],
		['with other types', '{"sockets":"3","connections":{"length":1e9}}', 0],
		['with fractions', '{"sockets":0.5}', 0],
	])('%s count as what they say, if that is possible', async (_, content, sockets) => {
		const scene = await openScene();
		const { node, peerId, send } = scene;
		const subscribing = node.provider.cluster.subscribe('all', 't');
		const number = await asked(scene);
		await send(`#1 answer ${peerId} ${number} ${content}`);
		await send(`#1 answer ${peerId} ${number} {"sockets":7}`);

		expect(await subscribing).toEqual({ nodes: 2, answered: 2, unanswered: [], sockets });
		expect(node.log.problems).toEqual([]);
	});

	it('leave out what is no connection', async () => {
		const scene = await openScene();
		const { node, peerId, send } = scene;
		const reading = node.provider.cluster.connections('all');
		const number = await asked(scene);
		const info = {
			socketId: crypto.randomUUID(),
			nodeId: peerId,
			connectedAt: 7,
			address: 'x',
			topics: ['t'],
			topicCount: 1,
			isSpeaker: true,
		};
		const connections = [
			info,
			null,
			7,
			{},
			{ ...info, topics: [7] },
			{ ...info, userId: 7 },
			{ ...info, socketId: 'x' },
		];
		await send(`#1 answer ${peerId} ${number} ${JSON.stringify({ sockets: 1, connections })}`);

		expect((await reading).connections).toEqual([info]);
	});

	it.each(['', '{', '7', 'null'])('that can not be read (%s) are ignored', async (content) => {
		const scene = await openScene();
		const { node, peerId, send } = scene;
		const subscribing = node.provider.cluster.subscribe('all', 't');
		await send(`#1 answer ${peerId} ${await asked(scene)} ${content}`);

		expect(await subscribing).toEqual({ nodes: 2, answered: 1, unanswered: [peerId], sockets: 0 });
	});

	it.each([
		'{"error":{"code":{"toString":1},"message":"x"}}',
		'{"error":{"code":"x","message":7}}',
		'{"error":null}',
		'{"error":7}',
		'{"data":1,"values":7}',
	])('to requests are ignored if they make no sense: %s', async (content) => {
		const scene = await openScene();
		const { node, peerId, send } = scene;
		const requesting = node.provider.cluster.request(Ask, 1);
		await send(`#1 answer ${peerId} ${await asked(scene)} ${content}`);

		expect(await requesting).toMatchObject({ answered: 0, unanswered: [peerId] });
		expect(node.log.problems).toEqual([]);
	});
});

describe('a node of another version', () => {
	it('gets its questions refused by name, which is logged once', async () => {
		const { node, peerId, send, answerTo } = await openScene();
		const member = await node.connect();
		const content = '{"do":"disconnect","target":"all","except":[],"code":"x","message":"","reconnect":true}';
		expect(await answerTo(`#2 ask ${peerId} 9 ${content}`)).toBe(`#1 version ${node.provider.nodeId} 9 `);
		for (const kind of ['ask', 'tell', 'answer', 'other']) await send(`#2 ${kind} ${peerId} 1 anything`);
		await send(`#2 tell ${peerId} 1`);
		await node.settled(member);

		expect(node.provider.isConnected(member.id)).toBe(true);
		expect(node.log.problems).toEqual([
			{ level: 'warn', message: expect.stringMatching(/version 2 .* version 1/), details: { nodeId: peerId } },
		]);
	});

	it('is named: it has done nothing', async () => {
		const scene = await openScene();
		const { node, peerId, send } = scene;
		const subscribing = node.provider.cluster.subscribe('all', 't');
		await send(`#2 version ${peerId} ${await asked(scene)} `);

		expect(await subscribing).toEqual({ nodes: 2, answered: 1, unanswered: [peerId], sockets: 0 });
		expect(node.log.problems).toHaveLength(1);
	});

	it('is an error of a request', async () => {
		const scene = await openScene();
		const { node, peerId, send } = scene;
		const requesting = node.provider.cluster.request(Ask, 1);
		await send(`#2 version ${peerId} ${await asked(scene)} `);
		const { answered, errors } = await requesting;

		expect(answered).toBe(1);
		expect(errors.get(peerId)).toBeInstanceOf(NodeVersionError);
		expect(errors.get(peerId)?.message).toMatch(/version 2 .* version 1/);
	});
});
