import { describe, expect, it } from 'vitest';
import {
	InvalidPayloadError,
	InvalidSocketIdError,
	InvalidTopicError,
	type Payload,
	ProviderNotStartedError,
	ProviderStoppedError,
	SocketCoordinator,
	UnknownSocketError,
	type WebSocketProvider,
} from './index.ts';
import { MemoryBackend } from './testing/index.ts';
import { countOf } from './test-support/count-of.ts';
import { type Member, messagesOf, openNode, type TestNode } from './test-support/test-node.ts';
import { watchUnhandledRejections } from './test-support/unhandled-rejections.ts';

/** Bypasses the types, to pass invalid values. */
const topicOf = (value: unknown): string => value as string;
const payloadOf = (value: unknown): Payload => value as Payload;
const idOf = topicOf;

const TOPIC_RULE = String.raw`it must match /^[\w:.-]{1,256}$/`;
const badTopics: [unknown, string][] = [
	['', '""'],
	['t'.repeat(257), '(257 characters)'],
	['with space', '"with space"'],
	['new\nline', '"new\\nline"'],
	['ends\n', '"ends\\n"'],
	['nul\0', '"nul\\u0000"'],
	['ünicode', '"ünicode"'],
	['🙂', '"🙂"'],
	['a/b', '"a/b"'],
	['a,b', '"a,b"'],
	['*', '"*"'],
	['chat:*', '"chat:*"'],
	['@x', '"@x"'],
	[`@${crypto.randomUUID()}`, '"@'],
	[7, '7'],
	[undefined, 'undefined'],
	[null, 'null'],
	[Symbol('s'), 'Symbol(s)'],
	[['t'], '{…}'],
	[{}, '{…}'],
	[Object.create(null), '{…}'],
];

const ID_RULE = 'a socket id is a UUID v4';
const v4 = crypto.randomUUID();
const badIds: [unknown, string][] = [
	['', '""'],
	['6ba7b810-9dad-11d1-80b4-00c04fd430c8', '"6ba7b810-9dad-11d1-80b4-00c04fd430c8"'], // version 1
	['0192f0c1-2345-7abc-8def-0123456789ab', '"0192f0c1'], // version 7
	['00000000-0000-0000-0000-000000000000', '"00000000'],
	[`{${v4}}`, '"{'],
	[v4.replaceAll('-', ''), `"${v4.slice(0, 8)}`],
	[`${v4} `, `"${v4} "`],
	[`${v4}\n`, `"${v4}\\n"`],
	['user-7', '"user-7"'],
	[7, '7'],
	[undefined, 'undefined'],
	[null, 'null'],
];

const PAYLOAD_RULE = 'send a string, an ArrayBuffer, a typed array or a DataView';
const badPayloads: [unknown, string][] = [
	[undefined, 'undefined'],
	[null, 'null'],
	[7, '7'],
	[true, 'true'],
	[1n, '1'],
	[{ text: 'x' }, '{…}'],
	[[1, 2], '[…]'],
	[new Blob(['x']), 'Blob {…}'],
	[Promise.resolve('x'), 'Promise {…}'],
	[new Date(0), 'Date {…}'],
	[() => 'x', 'a function'],
];

const gone = crypto.randomUUID();

interface Case {
	readonly name: string;
	readonly call: (provider: WebSocketProvider, here: Member) => Promise<void>;
	readonly error: new (...args: never[]) => Error;
	/** Parts of the error message: the invalid value, and the rule. */
	readonly says: readonly string[];
}

const shown = (value: unknown): string =>
	typeof value === 'string' ? JSON.stringify(value.slice(0, 50)) : typeof value;

const cases: Case[] = [
	...badTopics.flatMap(([topic, says]): Case[] =>
		(
			[
				['publish', (provider) => provider.publish(topicOf(topic), 'x')],
				['publishFrom', (provider, { id }) => provider.publishFrom(id, topicOf(topic), 'x')],
				['subscribe', (provider, { id }) => provider.subscribe(id, topicOf(topic))],
				['unsubscribe', (provider, { id }) => provider.unsubscribe(id, topicOf(topic))],
			] as [string, Case['call']][]
		).map(([method, call]) => ({
			name: `${method} with the topic ${shown(topic)} ${says}`,
			call,
			error: InvalidTopicError,
			says: [`Invalid topic ${says.startsWith('(2') ? '' : says}`, says, TOPIC_RULE],
		})),
	),
	...badIds.map(([id, says]): Case => ({
		name: `send to the id ${shown(id)} ${says}`,
		call: (provider) => provider.send(idOf(id), 'x'),
		error: InvalidSocketIdError,
		says: [`Invalid socket id ${says}`, ID_RULE],
	})),
	...badPayloads.flatMap(([payload, says]): Case[] =>
		(
			[
				['publish', (provider) => provider.publish('t', payloadOf(payload))],
				['publishFrom', (provider, { id }) => provider.publishFrom(id, 't', payloadOf(payload))],
				['send', (provider, { id }) => provider.send(id, payloadOf(payload))],
				['send elsewhere', (provider) => provider.send(gone, payloadOf(payload))],
				['broadcast', (provider) => provider.broadcast(payloadOf(payload))],
			] as [string, Case['call']][]
		).map(([method, call]) => ({
			name: `${method} with the payload ${says}`,
			call,
			error: InvalidPayloadError,
			says: [`Invalid payload ${says}`, PAYLOAD_RULE],
		})),
	),
	{
		name: 'subscribe of a closed socket',
		call: (provider) => provider.subscribe(gone, 't'),
		error: UnknownSocketError,
		says: [`Socket ${gone} is not connected`],
	},
	...badIds.map(([id, says]): Case => ({
		name: `unsubscribe of the id ${shown(id)} ${says}`,
		call: (provider) => provider.unsubscribe(idOf(id), 't'),
		error: InvalidSocketIdError,
		says: [`Invalid socket id ${says}`, ID_RULE],
	})),
	...badIds.map(([id, says]): Case => ({
		name: `subscribe of the id ${shown(id)} ${says}`,
		call: (provider) => provider.subscribe(idOf(id), 't'),
		error: InvalidSocketIdError,
		says: [`Invalid socket id ${says}`, ID_RULE],
	})),
	{
		name: 'publishFrom a socket that is gone',
		call: (provider) => provider.publishFrom(gone, 't', 'x'),
		error: UnknownSocketError,
		says: [`Socket ${gone} is not connected`],
	},
];

const kinds: Record<string, () => Promise<TestNode>> = {
	'in one process': () => openNode(),
	'with a bus': () => openNode({ bus: new MemoryBackend().createBus() }),
};

describe.each(Object.entries(kinds))('a provider %s', (_kind, open) => {
	it.each(cases)('refuses $name: rejects, logs nothing, and affects nothing else', async ({ call, error, says }) => {
		const node = await open();
		const here = await node.connect({ topics: new Set(['t']) });
		const thrown = await call(node.provider, here).catch((reason: unknown) => reason);

		expect(thrown).toBeInstanceOf(error);
		expect(thrown).toMatchObject({ name: error.name });
		const { message } = thrown as Error;
		for (const part of says) expect(message).toContain(part);
		expect(message.length).toBeLessThan(250);
		expect(node.log.problems).toEqual([]);
		await node.provider.publish('t', 'unaffected');
		await node.settled(here);
		expect(messagesOf(here)).toEqual(['unaffected']);
		expect([...here.ws.data.topics]).toEqual(['t']);
		expect(node.provider.getTopicCount()).toBe(1);
	});

	it('causes no unhandled rejection when the promise is ignored, but logs it', async () => {
		const watch = watchUnhandledRejections();
		const node = await open();
		const here = await node.connect();
		for (const { call } of cases) void call(node.provider, here);
		void node.provider.send(gone, 'x');

		expect(await watch.seen()).toEqual([]);
		expect(countOf(node.log, 'warn')).toBe(cases.length);
	});

	it('refuses a detached buffer, and a view of a buffer that has become too short', async () => {
		const node = await open();
		const here = await node.connect({ topics: new Set(['t']) });
		const [buffer, bytes] = [new ArrayBuffer(4), new Uint8Array(4)];
		structuredClone([buffer, bytes], { transfer: [buffer, bytes.buffer] });
		const shrunk = new ArrayBuffer(8, { maxByteLength: 8 });
		const [short, view] = [new Uint8Array(shrunk, 4, 2), new DataView(shrunk, 4, 2)];
		shrunk.resize(4);
		for (const payload of [buffer, bytes, short, view]) {
			for (const call of [
				() => node.provider.publish('t', payload),
				() => node.provider.send(here.id, payload),
				() => node.provider.broadcast(payload),
			]) {
				const thrown = await Promise.try(call).catch((reason: unknown) => reason);
				expect(thrown).toBeInstanceOf(InvalidPayloadError);
			}
		}
		await node.settled(here);
		expect(messagesOf(here)).toEqual([]);
	});

	it('refuses to send to a socket that is not connected', async () => {
		const node = await open();
		const thrown = await node.provider.send(gone, 'x').catch((reason: unknown) => reason);

		expect(thrown).toBeInstanceOf(UnknownSocketError);
		expect(thrown).toMatchObject({
			socketId: gone,
			message: expect.stringContaining(`Socket ${gone} is not connected`),
		});
	});

	it('allows every topic character, 256 of them, and ids in upper case', async () => {
		const node = await open();
		const topics = [
			'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_:.-',
			't'.repeat(256),
			'.',
			':',
			'-',
		];
		const upper = crypto.randomUUID().toUpperCase();
		const member = await node.connect({ socketId: upper, topics: new Set(topics) });
		for (const topic of topics) await node.provider.publish(topic, topic);
		await node.provider.send(upper, 'sent');
		await node.settled(member);

		expect(messagesOf(member)).toEqual([...topics, 'sent']);
		expect(node.log.problems).toEqual([]);
	});
});

describe('a provider that is not running', () => {
	const calls: [string, (provider: WebSocketProvider, id: string) => Promise<unknown>][] = [
		['publish', (provider) => provider.publish('t', 'x')],
		['publishFrom', (provider, id) => provider.publishFrom(id, 't', 'x')],
		['send', (provider, id) => provider.send(id, 'x')],
		['broadcast', (provider) => provider.broadcast('x')],
		['subscribe', (provider, id) => provider.subscribe(id, 't')],
		['resume', (provider, id) => provider.resume(id, 't', { since: undefined })],
		['history', (provider) => provider.history('t')],
		['sendToNode', (provider) => provider.sendToNode(crypto.randomUUID(), 'x')],
		['sendToNodeOf', (provider, id) => provider.sendToNodeOf(id, 'x')],
	];
	const buses = [
		['in one process', () => ({})],
		['with a bus', () => ({ bus: new MemoryBackend().createBus() })],
	] as const;

	describe.each(buses)('%s', (_kind, options) => {
		it.each(calls)('refuses %s before start, and explains how to start', async (_name, call) => {
			const node = await openNode({ ...options(), start: false });
			const { ws } = await node.attempt({ socketId: gone, data: {}, topics: new Set() });
			const thrown = await call(node.provider, ws.data.socketId).catch((reason: unknown) => reason);

			expect(thrown).toBeInstanceOf(ProviderNotStartedError);
			expect((thrown as Error).message).toContain('await provider.start(), or app.listen(), first; nothing was done');
			expect(node.log.problems.filter(({ message }) => !message.startsWith('Sockets were added'))).toEqual([]);
			expect([[...ws.data.topics], node.provider.getTopicCount()]).toEqual([[], 0]);
		});

		it.each(calls)('refuses %s after stop', async (_name, call) => {
			const node = await openNode(options());
			const member = await node.connect({ topics: new Set(['t']) });
			await node.provider.stop();
			const thrown = await call(node.provider, member.id).catch((reason: unknown) => reason);

			expect(thrown).toBeInstanceOf(ProviderStoppedError);
			expect((thrown as Error).message).toContain('the provider was stopped; nothing was done');
			expect(node.log.problems).toEqual([]);
			await node.settled(member);
			expect(messagesOf(member)).toEqual([]);
		});

		it('refuses to subscribe after stop, and changes nothing', async () => {
			const node = await openNode(options());
			const member = await node.connect();
			await node.provider.stop();

			await expect(node.provider.subscribe(member.id, 't')).rejects.toThrow(ProviderStoppedError);
			expect([[...member.ws.data.topics], node.provider.getTopicCount()]).toEqual([[], 0]);
		});

		it('causes no unhandled rejection when the promise is ignored, but logs it', async () => {
			const watch = watchUnhandledRejections();
			const node = await openNode({ ...options(), start: false });
			for (const [, call] of calls) void call(node.provider, gone);
			await node.provider.stop();
			for (const [, call] of calls) void call(node.provider, gone);

			expect(await watch.seen()).toEqual([]);
			expect(countOf(node.log, 'warn')).toBe(2 * calls.length);
		});
	});
});

it('a coordinator without a provider is refused by its constructor', () => {
	const make = SocketCoordinator as unknown as new (options?: unknown) => unknown;
	for (const options of [undefined, {}, { provider: null }, { provider: {} }]) {
		expect(() => new make(options)).toThrow('new SocketCoordinator({ provider: new InProcWsProvider() })');
	}
});
