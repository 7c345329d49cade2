import { describe, expect, it } from 'vitest';
import {
	DuplicateSocketError,
	InvalidSocketDataError,
	InvalidSocketError,
	InvalidSocketIdError,
	InvalidTopicError,
	InvalidUserIdError,
	UnknownSocketError,
} from '../index.ts';
import { MemoryBackend } from '../testing/index.ts';
import { messagesOf, openNode, type TestNode } from '../test-support/test-node.ts';
import { watchUnhandledRejections } from '../test-support/unhandled-rejections.ts';

interface Case {
	readonly name: string;
	readonly data: unknown;
	readonly error: new (...args: never[]) => Error;
	/** The fault, and the rule. */
	readonly says: readonly string[];
}

const UPGRADE = 'server.upgrade(req, { data: { socketId: crypto.randomUUID(), data: {}, topics: new Set() } })';
const ID_RULE = 'a socket id is a UUID v4, as returned by crypto.randomUUID()';
const TOPIC_RULE = String.raw`it must match /^[\w:.-]{1,256}$/`;
const USER_RULE = 'a user id is a string of 1 to 256 characters';
const withTopics = (topics: unknown): object => ({ socketId: crypto.randomUUID(), data: {}, topics });

const cases: Case[] = [
	{ name: 'no data', data: undefined, error: InvalidSocketDataError, says: ['undefined', UPGRADE] },
	{ name: 'null', data: null, error: InvalidSocketDataError, says: [UPGRADE] },
	{ name: 'data that is a string', data: 'user 7', error: InvalidSocketDataError, says: ['"user 7"', UPGRADE] },
	{ name: 'data without an id', data: {}, error: InvalidSocketDataError, says: ['{…}', UPGRADE] },
	{ name: 'an empty id', data: { socketId: '' }, error: InvalidSocketIdError, says: ['""', ID_RULE] },
	{ name: 'an id that is a number', data: { socketId: 7 }, error: InvalidSocketIdError, says: [' 7:', ID_RULE] },
	{
		name: 'an id of UUID version 1',
		data: { socketId: '6ba7b810-9dad-11d1-80b4-00c04fd430c8', data: {}, topics: new Set() },
		error: InvalidSocketIdError,
		says: ['"6ba7b810-9dad-11d1-80b4-00c04fd430c8"', ID_RULE],
	},
	{
		name: 'a bad topic',
		data: withTopics(new Set(['t', 'no topic'])),
		error: InvalidTopicError,
		says: ['"no topic"', TOPIC_RULE],
	},
	{ name: 'a topic that is a number', data: withTopics([7]), error: InvalidTopicError, says: [' 7:', TOPIC_RULE] },
	{
		name: 'an empty user id',
		data: { ...withTopics([]), userId: '' },
		error: InvalidUserIdError,
		says: ['""', USER_RULE],
	},
	{
		name: 'a user id that is a number',
		data: { ...withTopics([]), userId: 7 },
		error: InvalidUserIdError,
		says: [' 7:', USER_RULE],
	},
	{
		name: 'a long user id',
		data: { ...withTopics([]), userId: 'u'.repeat(257) },
		error: InvalidUserIdError,
		says: ['uuu', USER_RULE],
	},
	{ name: 'topics that are an object', data: withTopics({}), error: InvalidSocketDataError, says: [UPGRADE] },
	{ name: 'topics that are a number', data: withTopics(7), error: InvalidSocketDataError, says: [UPGRADE] },
	{ name: 'topics that are one string', data: withTopics('chat'), error: InvalidSocketDataError, says: [UPGRADE] },
];

const kinds: Record<string, () => Promise<TestNode>> = {
	'in one process': () => openNode(),
	'with a bus': () => openNode({ bus: new MemoryBackend().createBus() }),
};

describe.each(Object.entries(kinds))('a provider %s', (_kind, open) => {
	it.each(cases)('rejects a socket with $name: closes it with 1011, says why, affects no other', async (one) => {
		const watch = watchUnhandledRejections();
		const node = await open();
		const other = await node.connect({ topics: new Set(['t']) });
		const { client, added } = await node.attempt(one.data);

		const thrown = await added.catch((reason: unknown) => reason);
		expect(thrown).toBeInstanceOf(one.error);
		expect(await client.closed).toEqual({ code: 1011, reason: one.error.name });
		const { message } = thrown as Error;
		for (const part of one.says) expect(message).toContain(part);
		expect(node.log.problems).toEqual([{ level: 'warn', message, details: { err: thrown } }]);
		expect([...node.provider.getConnections()]).toEqual([other.ws]);
		await node.provider.publish('t', 'unaffected');
		await node.settled(other);
		expect(messagesOf(other)).toEqual(['unaffected']);
		expect(await watch.seen()).toEqual([]);
	});

	it.each([
		['nothing', undefined, 'undefined'],
		['a socket id', crypto.randomUUID(), '"'],
		['a request', new Request('http://localhost'), 'Request {…}'],
		['the data of a socket', withTopics(new Set()), '{…}'],
	])('rejects %s in place of a socket, and affects no socket', async (_, given, shown) => {
		const node = await open();
		const other = await node.connect();
		const thrown: unknown = await node.provider.addConnection(given as never).catch((reason: unknown) => reason);

		expect(thrown).toBeInstanceOf(InvalidSocketError);
		expect((thrown as Error).message).toContain(`Invalid socket ${shown}`);
		expect((thrown as Error).message).toContain(': pass addConnection the ws that Bun passes to open(ws)');
		expect([...node.provider.getConnections()]).toEqual([other.ws]);
	});

	it('accepts a socket without topics, or with an array of them', async () => {
		const node = await open();
		const bare = await node.attempt({ socketId: crypto.randomUUID() });
		const listed = await node.attempt(withTopics(['a', 'b', 'a']));
		await Promise.all([bare.added, listed.added]);
		await node.provider.subscribe(bare.ws.data.socketId, 'a');
		await node.provider.publish('a', 'to a');
		await Promise.all([bare, listed].map(node.settled));

		expect([messagesOf(bare), messagesOf(listed)]).toEqual([['to a'], ['to a']]);
		expect([...listed.ws.data.topics]).toEqual(['a', 'b']);
		expect(node.log.problems).toEqual([]);
	});

	it('rejects a second socket with an id that is in use; the first one keeps working', async () => {
		const node = await open();
		const first = await node.connect({ topics: new Set(['t']) });
		const second = await node.attempt({ socketId: first.id, data: {}, topics: new Set(['t', 'u']) });

		expect(await second.client.closed).toEqual({ code: 1011, reason: 'DuplicateSocketError' });
		const thrown = await second.added.catch((reason: unknown) => reason);
		expect(thrown).toBeInstanceOf(DuplicateSocketError);
		expect(thrown).toMatchObject({
			socketId: first.id,
			message: `Socket ${first.id} is already connected: give every upgrade its own crypto.randomUUID()`,
		});
		expect(node.log.problems).toEqual([
			{ level: 'warn', message: (thrown as Error).message, details: { err: thrown } },
		]);
		// The close handler of the rejected socket has already called removeConnection(ws.data.socketId).
		expect(second.ws.readyState).toBe(WebSocket.CLOSED);
		expect(node.log.lines.filter(({ level }) => level === 'debug')).toEqual([
			{
				level: 'debug',
				message: 'removeConnection() was called with an unknown socket id',
				details: { socketId: second.ws.data.socketId },
			},
		]);
		expect(node.provider.getConnection(first.id)).toBe(first.ws);
		expect([node.provider.getConnectionCount(), node.provider.getTopicCount()]).toEqual([1, 1]);
		await node.provider.send(first.id, 'sent');
		await node.provider.publish('t', 'published');
		await node.settled(first);
		expect(messagesOf(first)).toEqual(['sent', 'published']);
	});

	it('accepts a socket with an id that is free again', async () => {
		const node = await open();
		const first = await node.connect();
		first.ws.close();
		const second = await node.connect({ socketId: first.id });
		await node.provider.send(first.id, 'to the second');
		await node.settled(second);

		expect(messagesOf(second)).toEqual(['to the second']);
	});

	it('rejects a subscribe of a socket that is closing', async () => {
		const node = await open();
		const member = await node.connect();
		const closing = node.provider.getConnection(member.id);
		let subscribing: Promise<unknown> | undefined;
		// Bun calls the close handler before `close` returns; until then the socket is known.
		const remove = node.coordinator.removeConnection.bind(node.coordinator);
		node.coordinator.removeConnection = (id) => {
			subscribing = node.coordinator.subscribeToTopic(id, 't').catch((reason: unknown) => reason);
			return remove(id);
		};
		closing?.close();

		expect(await subscribing).toBeInstanceOf(UnknownSocketError);
		expect([node.provider.getConnectionCount(), node.provider.getTopicCount()]).toEqual([0, 0]);
	});
});
