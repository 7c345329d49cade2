import { until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import {
	ExceptWithHistoryError,
	InvalidExceptError,
	InvalidOptionError,
	InvalidSocketIdError,
	type PublishOptions,
	SocketMessage,
} from './index.ts';
import { MemoryBackend } from './testing/index.ts';
import { orderSchema, schema } from './test-support/schemas.ts';
import { type Member, messagesOf, openNode, type TestNode } from './test-support/test-node.ts';

const OrderPaid = SocketMessage.define({ name: 'order.paid', data: orderSchema });

/** Connects that many clients that are subscribed to `t`. */
function connect(node: TestNode, count: number): Promise<Member[]> {
	return Promise.all(Array.from({ length: count }, () => node.connect({ topics: new Set(['t']) })));
}

async function received(node: TestNode, members: readonly Member[]): Promise<unknown[][]> {
	await Promise.all(members.map(node.settled));
	return members.map((member) => [...messagesOf(member)]);
}

/** Publishes before, with and after `except`, and returns what the members received. */
async function publishAround(node: TestNode, except: string | readonly string[], members: readonly Member[]) {
	void node.provider.publish('t', 'before');
	void node.provider.publish('t', 'but', { except });
	void node.provider.publish('t', new Uint8Array([1]), { except });
	await node.provider.publish('t', 'after');
	return received(node, members);
}

const ALL = ['before', 'but', new Uint8Array([1]), 'after'];
const LEFT_OUT = ['before', 'after'];

describe.each([
	['by Bun', true],
	['one by one, without setServer', false],
])('except on one node, delivered %s', (_, setServer) => {
	it('skips one socket, which stays in order', async () => {
		const node = await openNode({ setServer });
		const [one, ...others] = await connect(node, 3);
		const { id } = one as Member;

		expect(await publishAround(node, id, [one as Member, ...others])).toEqual([LEFT_OUT, ALL, ALL]);
		expect(node.log.problems).toEqual([]);
	});

	it('skips several sockets, of which some are not in the topic and one is named twice', async () => {
		const node = await openNode({ setServer });
		const members = await connect(node, 4);
		const outside = await node.connect();
		const ids = members.map(({ id }) => id);
		const except = [outside.id, ids[1] ?? '', ids[2] ?? '', crypto.randomUUID(), ids[1] ?? ''];

		expect(await publishAround(node, except, [...members, outside])).toEqual([ALL, LEFT_OUT, LEFT_OUT, ALL, []]);
		expect(members.map(({ ws }) => ws.isSubscribed('t'))).toEqual([true, true, true, true]);
		expect(outside.ws.isSubscribed('t')).toBe(false);
		expect(node.provider.getTopicSubscriberCount('t')).toBe(4);
	});

	it('skips everyone, or no one', async () => {
		const node = await openNode({ setServer });
		const members = await connect(node, 3);
		const ids = members.map(({ id }) => id);

		expect(await publishAround(node, ids, members)).toEqual([LEFT_OUT, LEFT_OUT, LEFT_OUT]);
		await node.provider.publish('t', 'to all', { except: [] });
		await node.provider.publish('t', 'to all', { except: crypto.randomUUID() });
		expect((await received(node, members)).map((all) => all.slice(2))).toEqual(ids.map(() => ['to all', 'to all']));
	});

	it('reaches the others in the close handler of the socket that is left out, before it is removed', async () => {
		const node = await openNode({ setServer });
		const [one, other] = (await connect(node, 2)) as [Member, Member];
		const published: boolean[] = [];
		const { removeConnection } = node.provider;
		node.provider.removeConnection = (id) => {
			published.push(node.provider.isConnected(one.id));
			void node.provider.publish('t', 'to one', { except: one.id });
			void node.provider.publish('t', 'to several', { except: [one.id, crypto.randomUUID()] });
			return removeConnection.call(node.provider, id);
		};
		one.ws.close();

		expect(published).toEqual([true]);
		expect(await received(node, [other])).toEqual([['to one', 'to several']]);
	});

	it('leaves out no other socket if the socket has just closed', async () => {
		const node = await openNode({ setServer });
		const [one, two, other] = (await connect(node, 3)) as [Member, Member, Member];
		one.ws.close();
		await node.provider.publish('t', 'one', { except: one.id });
		two.ws.terminate();
		await node.provider.publish('t', 'both', { except: [one.id, two.id] });
		expect(await received(node, [other])).toEqual([['one', 'both']]);
	});

	it('skips sockets of a thousand, many times', async () => {
		const node = await openNode({ setServer });
		const members = await connect(node, 1_000);
		const left = members.slice(0, 100).map(({ id }) => id);
		for (let i = 0; i < 20; i++) void node.provider.publish('t', String(i), i % 2 === 0 ? { except: left } : undefined);

		const every = Array.from({ length: 20 }, (__, i) => String(i));
		const odd = every.filter((__, i) => i % 2 === 1);
		expect(await received(node, members)).toEqual(members.map((__, i) => (i < 100 ? odd : every)));
	}, 30_000);
});

describe('except on two nodes', () => {
	it('skips sockets of either node, whichever publishes, and keeps the order', async () => {
		const backend = new MemoryBackend();
		const nodes = [await openNode({ bus: backend.createBus() }), await openNode({ bus: backend.createBus() })] as const;
		const here = await connect(nodes[0], 3);
		const there = await connect(nodes[1], 3);
		const all = [...here, ...there];
		const except = [here[0], there[0], there[1]].map((member) => (member as Member).id);
		for (const { provider } of nodes) {
			void provider.publish('t', 'a');
			void provider.publish('t', 'b', { except });
			void provider.publish('t', 'c', { except: except[1] as string });
			void provider.publish('t', new Uint8Array([1]), { except });
			await provider.publish('t', 'd');
		}
		await until(() => all.every(({ client }) => client.messages.filter((text) => text === 'd').length === 2), {
			what: 'the last message has arrived twice',
		});

		const whole = ['a', 'b', 'c', new Uint8Array([1]), 'd'];
		const once = [['a', 'c', 'd'], whole, whole, ['a', 'd'], ['a', 'c', 'd'], whole];
		expect(all.map((member) => [...messagesOf(member)])).toEqual(once.map((some) => [...some, ...some]));
	});

	it('emits to all but a socket of the other node, in order with a message still being validated', async () => {
		const backend = new MemoryBackend();
		const [a, b] = [await openNode({ bus: backend.createBus() }), await openNode({ bus: backend.createBus() })];
		const [one, other] = (await connect(b, 2)) as [Member, Member];
		const gate = Promise.withResolvers<void>();
		const Slow = SocketMessage.define({
			name: 'slow',
			data: schema<number>(async (value) => {
				await gate.promise;
				return { value: value as number };
			}),
		});
		const except = [one.id];
		const sent = [
			a.provider.emit(Slow, 't', 1, { except }),
			a.provider.publish('t', 'raw', { except }),
			a.provider.emit(OrderPaid, 't', { id: 'o1', items: [] }, { except: one.id }),
			a.provider.publish('t', 'end'),
		];
		// The calls have the ids of the time at which they were made.
		except[0] = other.id;
		gate.resolve();
		await Promise.all(sent);
		await Promise.all([one, other].map(({ client }) => client.next((text) => text === 'end')));

		expect(messagesOf(one)).toEqual(['end']);
		expect(messagesOf(other).map((text) => /"name":"([^"]*)"/.exec(String(text))?.[1] ?? text)).toEqual([
			'slow',
			'raw',
			'order.paid',
			'end',
		]);
	});
});

describe('except is refused', () => {
	const id = crypto.randomUUID();

	it('on a topic with history, with the reason and what to do instead', async () => {
		const node = await openNode({ history: { 'kept:*': { size: 10, ttlMs: 60_000 } } });
		const member = await node.connect({ topics: new Set(['kept:1']) });
		for (const except of [member.id, [member.id], []]) {
			for (const call of [
				node.provider.publish('kept:1', 'x', { except }),
				node.provider.emit(OrderPaid, 'kept:1', { id: 'o1', items: [] }, { except }),
			]) {
				const error: unknown = await call.catch((reason: unknown) => reason);
				expect(error).toBeInstanceOf(ExceptWithHistoryError);
				expect(error).toMatchObject({
					name: 'ExceptWithHistoryError',
					topic: 'kept:1',
					message:
						`except can't be used on "kept:1", which has history: all its subscribers get the same sequence of messages. ` +
						'Put the sender into the data and have its client skip its own, or use a topic without history',
				});
			}
		}
		expect((await node.provider.history('kept:1')).messages).toEqual([]);
	});

	const many = Array.from({ length: 101 }, () => crypto.randomUUID());
	it.each<[string, unknown, new (...args: never[]) => Error, string]>([
		[
			'a hundred and one ids',
			many,
			InvalidExceptError,
			'(an array of 101): expected a socket id or an array of at most 100',
		],
		['self, without a sender', 'self', InvalidExceptError, "'self' is possible where there is a sender"],
		['a number', 7, InvalidExceptError, 'Invalid except 7: expected a socket id'],
		['null', null, InvalidExceptError, 'Invalid except null: expected a socket id'],
		['a set', new Set([id]), InvalidExceptError, 'Invalid except Set {…}: expected a socket id'],
		['a socket', { data: { socketId: id } }, InvalidExceptError, 'Invalid except {…}: expected a socket id'],
		['text that is no id', 'ann', InvalidSocketIdError, 'Invalid socket id "ann"'],
		['an array with something else', [id, undefined], InvalidSocketIdError, 'Invalid socket id undefined'],
	])('if it is %s; nothing is sent', async (_, except, kind, says) => {
		const node = await openNode({ bus: new MemoryBackend().createBus() });
		const [member] = (await connect(node, 1)) as [Member];
		const error: unknown = await node.provider
			.publish('t', 'x', { except } as PublishOptions)
			.catch((reason: unknown) => reason);

		expect(error).toBeInstanceOf(kind);
		expect((error as Error).message).toContain(says);
		expect(await received(node, [member])).toEqual([[]]);
	});

	it('accepts a hundred ids, and refuses options that it does not know', async () => {
		const node = await openNode();
		await node.provider.publish('t', 'x', { except: many.slice(1) });
		await expect(node.provider.publish('t', 'x', { excpet: id } as PublishOptions)).rejects.toThrow(
			new InvalidOptionError('publish() has no option excpet, only idempotencyKey and except'),
		);
	});
});
