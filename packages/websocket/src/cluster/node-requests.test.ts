import { until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import {
	DuplicateNodeHandlerError,
	InvalidMessageDefinitionError,
	InvalidNodeIdError,
	InvalidOptionError,
	MessageValidationError,
	NoHandlerError,
	NodeRequestError,
	SocketError,
	SocketMessage,
	UnsupportedValueError,
} from '../index.ts';
import { openCluster, openPair } from '../test-support/open-nodes.ts';
import { lateOrderSchema, numberFromText, type Order, orderSchema, schema } from '../test-support/schemas.ts';
import { openNode, type TestNode } from '../test-support/test-node.ts';

const any = schema<unknown>((value) => ({ value }));
const Reload = SocketMessage.define({ name: 'reload', data: any });
const Ask = SocketMessage.define({ name: 'ask', data: any, reply: any });
const OrderPaid = SocketMessage.define({ name: 'order.paid', data: orderSchema });
const LateOrderPaid = SocketMessage.define({ name: 'order.paid', data: lateOrderSchema });
const Amount = SocketMessage.define({ name: 'amount', data: numberFromText, reply: numberFromText });
const Find = SocketMessage.define({ name: 'find', data: lateOrderSchema, reply: lateOrderSchema });

const ORDER: Order = { id: 'o1', items: [{ price: 1 }] };

async function openThree(): Promise<readonly [TestNode, TestNode, TestNode]> {
	return (await openCluster(3)).nodes as [TestNode, TestNode, TestNode];
}

/** Records what a node receives of a message. */
function heard({ provider }: TestNode, message: SocketMessage): unknown[] {
	const received: unknown[] = [];
	provider.cluster.on(message, (data) => void received.push(data));
	return received;
}

const idOf = ({ provider }: TestNode): string => provider.nodeId;

describe('cluster.emit', () => {
	it('reaches all nodes, all others, one or several', async () => {
		const nodes = await openThree();
		const [a, b, c] = nodes;
		const received = nodes.map((node) => heard(node, Reload));
		const { cluster } = a.provider;
		await cluster.emit(Reload, 'by default');
		await cluster.emit(Reload, 'others', { to: 'others' });
		await cluster.emit(Reload, 'all', { to: 'all' });
		await cluster.emit(Reload, 'b', { to: idOf(b) });
		await cluster.emit(Reload, 'self', { to: idOf(a) });
		await cluster.emit(Reload, 'two', { to: [idOf(a), idOf(c), idOf(c)] });
		await cluster.emit(Reload, 'nobody', { to: [] });
		await cluster.emit(Reload, 'unknown', { to: crypto.randomUUID() });
		await cluster.emit(Reload, 'last', { to: [idOf(b), idOf(c)] });
		await until(() => received.slice(1).every((each) => each.includes('last')), { what: 'all have arrived' });

		expect(received).toEqual([
			['all', 'self', 'two'],
			['by default', 'others', 'all', 'b', 'last'],
			['by default', 'others', 'all', 'two', 'last'],
		]);
	});

	it('calls all handlers of a name with the validated data and the sender, until they are removed', async () => {
		const [here, there] = await openPair();
		const first = heard(there, OrderPaid);
		const senders: string[] = [];
		const undo = there.provider.cluster.on(LateOrderPaid, (_, { from }) => void senders.push(from));
		await here.provider.cluster.emit(OrderPaid, ORDER);
		await until(() => senders.length === 1, { what: 'both were called' });
		undo();
		undo();
		await here.provider.cluster.emit(LateOrderPaid, ORDER);
		await until(() => first.length === 2, { what: 'the other was called' });

		expect([first, senders]).toEqual([[ORDER, ORDER], [idOf(here)]]);
	});

	it('keeps the order of the calls, although some schemas are asynchronous', async () => {
		const [here, there] = await openPair();
		const received: unknown[] = [];
		there.provider.cluster.on(LateOrderPaid, ({ id }) => void received.push(id));
		const { cluster } = here.provider;
		for (let i = 0; i < 10; i++)
			void cluster.emit(i % 2 === 0 ? LateOrderPaid : OrderPaid, { id: String(i), items: [] });
		await until(() => received.length === 10, { what: 'all have arrived' });

		expect(received).toEqual(Array.from({ length: 10 }, (_, i) => String(i)));
	});

	it('carries dates and bytes, and sends the data as it was at the call', async () => {
		const [here, there] = await openPair();
		const received = heard(there, SocketMessage.define({ name: 'late', data: schema(async (value) => ({ value })) }));
		const data = { at: new Date(7), bytes: new Uint8Array([1, 2]), list: [1] };
		const Late = SocketMessage.define({ name: 'late', data: schema<unknown>(async (value) => ({ value })) });
		const emitting = here.provider.cluster.emit(Late, data, { to: 'all' });
		data.list.push(2);
		await emitting;
		await until(() => received.length === 1, { what: 'it has arrived' });

		expect(received).toEqual([{ at: new Date(7), bytes: new Uint8Array([1, 2]), list: [1] }]);
	});

	it('rejects without sending what does not match the schema, or can not be sent', async () => {
		const [here, there] = await openPair();
		const received = heard(there, OrderPaid);
		const { cluster } = here.provider;
		await expect(cluster.emit(OrderPaid, { id: 7 } as never)).rejects.toThrow(MessageValidationError);
		await expect(cluster.emit(LateOrderPaid, {} as never)).rejects.toThrow(MessageValidationError);
		await expect(cluster.emit(Reload, new Map())).rejects.toThrow(UnsupportedValueError);
		await expect(cluster.emit('x' as never, 1 as never)).rejects.toThrow(InvalidMessageDefinitionError);
		await expect(cluster.emit(SocketMessage.define<number>('x'), 1)).rejects.toThrow(/has no schema/);
		await cluster.emit(OrderPaid, ORDER);
		await until(() => received.length === 1, { what: 'the valid one has arrived' });

		expect(received).toEqual([ORDER]);
	});

	it('to a handler that fails, or data that it does not accept, is logged where that happens', async () => {
		const [here, there] = await openPair();
		const received: unknown[] = [];
		there.provider.cluster.on(Reload, () => fail(new Error('no disk')));
		there.provider.cluster.on(SocketMessage.define({ name: 'reload', data: orderSchema }), () => {});
		there.provider.cluster.on(Reload, (data) => void received.push(data));
		await here.provider.cluster.emit(Reload, 'now');
		await until(() => there.log.problems.length === 2, { what: 'both are logged' });

		expect(received).toEqual(['now']);
		expect(there.log.problems.map(({ message }) => message).toSorted()).toEqual([
			expect.stringContaining('(cluster.on): The data of reload does not match its schema'),
			'WebSocket failure (cluster.on): no disk',
		]);
		expect(there.log.problems[0]?.details).toMatchObject({ stage: 'cluster.on', message: 'reload' });
		expect(here.log.problems).toEqual([]);
	});

	it('without a handler is ignored', async () => {
		const [here, there] = await openPair();
		await here.provider.cluster.emit(Reload, 1, { to: 'all' });
		const received = heard(there, Ask);
		await here.provider.cluster.emit(Ask, 2);
		await until(() => received.length === 1, { what: 'the next one has arrived' });

		expect([...here.log.problems, ...there.log.problems]).toEqual([]);
	});
});

describe('cluster.request', () => {
	it('resolves with the replies of all nodes, of one or of several', async () => {
		const nodes = await openThree();
		const [a, b, c] = nodes;
		for (const [i, { provider }] of nodes.entries())
			provider.cluster.on(Ask, (data, { from }) => [i, data, from === idOf(a)]);
		const { cluster } = a.provider;
		const reply = (i: number): unknown => [i, 'x', true];

		expect(await cluster.request(Ask, 'x', { to: 'all' })).toEqual({
			nodes: 3,
			answered: 3,
			unanswered: [],
			answers: new Map([
				[idOf(a), reply(0)],
				[idOf(b), reply(1)],
				[idOf(c), reply(2)],
			]),
			errors: new Map(),
		});
		const others = await cluster.request(Ask, 'x');
		expect([others.nodes, [...others.answers.keys()].toSorted()]).toEqual([2, [idOf(b), idOf(c)].toSorted()]);
		expect((await cluster.request(Ask, 'x', { to: idOf(c) })).answers).toEqual(new Map([[idOf(c), reply(2)]]));
		expect((await cluster.request(Ask, 'x', { to: idOf(a) })).answers).toEqual(new Map([[idOf(a), reply(0)]]));
		const two = await cluster.request(Ask, 'x', { to: [idOf(a), idOf(b)] });
		expect([two.nodes, two.answered, two.answers.size]).toEqual([2, 2, 2]);
		expect(await cluster.request(Ask, 'x', { to: [] })).toMatchObject({ nodes: 0, answered: 0, unanswered: [] });
	});

	it('gives handler and caller what the schemas make of the data and the reply', async () => {
		const [here, there] = await openPair();
		const received = [] as number[];
		there.provider.cluster.on(Amount, (amount) => {
			received.push(amount);
			return String(amount + 1);
		});
		const { answers } = await here.provider.cluster.request(Amount, '41');

		expect([received, [...answers.values()]]).toEqual([[41], [42]]);
	});

	it('works with asynchronous schemas and handlers, dates and bytes', async () => {
		const [here, there] = await openPair();
		const { cluster } = there.provider;
		cluster.on(Find, async (order) => order);
		cluster.on(Ask, async (data) => ({ data, at: new Date(9) }));
		expect([...(await here.provider.cluster.request(Find, ORDER)).answers.values()]).toEqual([ORDER]);
		const { answers } = await here.provider.cluster.request(Ask, new Uint8Array([1]));

		expect([...answers.values()]).toEqual([{ data: new Uint8Array([1]), at: new Date(9) }]);
	});

	it('has its time limit with schemas that come to no result, and holds up no other message', async () => {
		const [here, there] = await openPair();
		const stuck = schema<unknown>(() => new Promise<never>(() => {}));
		const Stuck = SocketMessage.define({ name: 'stuck', data: stuck, reply: any });
		const StuckReply = SocketMessage.define({ name: 'stuck-reply', data: any, reply: stuck });
		there.provider.cluster.on(Ask, (data) => data);
		there.provider.cluster.on(SocketMessage.define({ name: 'stuck-reply', data: any, reply: any }), (data) => data);
		const { cluster } = here.provider;
		const limit = { timeoutMs: 100 };
		const refused = expect(cluster.request(Stuck, 1, limit)).rejects.toMatchObject({ name: 'SchemaTimeoutError' });
		const after = cluster.request(Ask, 2);
		await refused;

		expect([...(await after).answers.values()]).toEqual([2]);
		const { answered, errors } = await cluster.request(StuckReply, 3, limit);
		expect(answered).toBe(1);
		expect(errors.get(idOf(there))).toMatchObject({
			code: 'invalid_reply',
			message: expect.stringContaining('result within'),
		});
	});

	it('says which nodes have no handler', async () => {
		const [a, b, c] = await openThree();
		b.provider.cluster.on(Ask, () => 'yes');
		c.provider.cluster.on(SocketMessage.define({ name: 'ask', data: any }), () => 'not a reply');
		const { answered, answers, errors } = await a.provider.cluster.request(Ask, 1, { to: 'all' });

		expect([answered, answers]).toEqual([3, new Map([[idOf(b), 'yes']])]);
		expect(errors.get(idOf(a))).toBeInstanceOf(NoHandlerError);
		expect(errors.get(idOf(c))).toMatchObject({ name: 'NoHandlerError', nodeId: idOf(c), messageName: 'ask' });
	});

	it.each<[string, () => unknown, object, number]>([
		['throws', () => fail(new Error('no disk')), { code: 'internal', message: expect.stringContaining('log') }, 1],
		['rejects', async () => fail(new Error('no disk')), { code: 'internal' }, 1],
		[
			'throws a SocketError',
			() => fail(new SocketError('busy', 'Try later')),
			{ code: 'busy', message: expect.stringContaining('Try later (busy)') },
			0,
		],
		['throws any SocketError', () => fail(new SocketError('no_handler', 'x')), { code: 'no_handler' }, 0],
		[
			'replies with what does not match the schema',
			() => 'no number',
			{ code: 'invalid_reply', message: expect.stringContaining('The reply to n does not match its schema') },
			1,
		],
		['replies with what can not be sent', () => Number.NaN, { code: 'invalid_reply' }, 1],
	])('a handler that %s is an error of its node', async (_, handler, expected, logged) => {
		const [here, there] = await openPair();
		there.provider.cluster.on(SocketMessage.define({ name: 'n', data: any, reply: numberFromText }), handler as never);
		const Number_ = SocketMessage.define({ name: 'n', data: any, reply: numberFromText });
		const { answered, answers, errors } = await here.provider.cluster.request(Number_, 1);
		const error = errors.get(idOf(there));

		expect([answered, answers.size]).toEqual([1, 0]);
		expect(error).toBeInstanceOf(NodeRequestError);
		expect(error).toMatchObject({ nodeId: idOf(there), messageName: 'n', ...expected });
		expect([here.log.problems.length, there.log.problems.length]).toEqual([0, logged]);
	});

	it('checks data on the other node, and replies on this one', async () => {
		const [here, there] = await openPair();
		there.provider.cluster.on(SocketMessage.define({ name: 'ask', data: orderSchema, reply: any }), () => 'x');
		const refused = await here.provider.cluster.request(Ask, 'no order');
		expect(refused.errors.get(idOf(there))).toMatchObject({ code: 'invalid_data' });
		const Strict = SocketMessage.define({ name: 'ask', data: any, reply: numberFromText });
		const invalid = await here.provider.cluster.request(Strict, ORDER);

		expect(invalid.errors.get(idOf(there))).toMatchObject({ code: 'invalid_reply' });
		expect([invalid.answered, here.log.problems]).toEqual([1, []]);
	});

	it('names nodes that do not answer in time, or do not exist', async () => {
		const [here, there] = await openPair();
		there.provider.cluster.on(Ask, () => new Promise(() => {}));
		const { cluster } = here.provider;
		const late = await cluster.request(Ask, 1, { to: idOf(there), timeoutMs: 50 });
		expect(late).toMatchObject({ answered: 0, unanswered: [idOf(there)] });
		const nobody = crypto.randomUUID();
		const started = performance.now();
		expect(await cluster.request(Ask, 1, { to: nobody, timeoutMs: 60_000 })).toMatchObject({
			nodes: 1,
			answered: 0,
			unanswered: [nobody],
		});
		expect(performance.now() - started).toBeLessThan(10_000);
	});

	it('has no reply: it is refused', async () => {
		const { provider } = await openNode();
		await expect(provider.cluster.request(Reload as never, 1 as never)).rejects.toThrow(/reload has no reply/);
	});
});

describe('cluster.on', () => {
	it('accepts one handler that replies, and another once that is removed', async () => {
		const node = await openNode();
		const { cluster } = node.provider;
		const undo = cluster.on(Ask, () => 1);
		expect(() => cluster.on(Ask, () => 2)).toThrow(DuplicateNodeHandlerError);
		undo();
		cluster.on(Ask, () => 3);
		undo();

		expect([...(await cluster.request(Ask, 0, { to: 'all' })).answers.values()]).toEqual([3]);
	});

	it('refuses what is no definition with a schema, or no function', async () => {
		const { cluster } = (await openNode()).provider;
		expect(() => cluster.on('reload' as never, (() => {}) as never)).toThrow(InvalidMessageDefinitionError);
		expect(() => cluster.on(SocketMessage.define<unknown>('reload'), () => {})).toThrow(InvalidMessageDefinitionError);
		expect(() => cluster.on(Reload, undefined as never)).toThrow(InvalidOptionError);
	});
});

it.each<[unknown, new (...args: never[]) => Error]>([
	['node-1', InvalidNodeIdError],
	['', InvalidNodeIdError],
	[['x'], InvalidNodeIdError],
	[7, InvalidOptionError],
	[{}, InvalidOptionError],
	[null, InvalidOptionError],
])('a message can not go to %o', async (to, error) => {
	const { cluster } = (await openNode()).provider;
	await expect(cluster.emit(Reload, 1, { to: to as never })).rejects.toThrow(error);
	await expect(cluster.request(Ask, 1, { to: to as never })).rejects.toThrow(error);
});

function fail(error: Error): never {
	throw error;
}
