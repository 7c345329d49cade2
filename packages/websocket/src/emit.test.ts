import { describe, expect, it } from 'vitest';
import { MessageValidationError, SocketMessage, UnsupportedValueError } from './index.ts';
import { MemoryBackend } from './testing/index.ts';
import { countOf } from './test-support/count-of.ts';
import { lateOrderSchema, numberFromText, orderSchema, schema } from './test-support/schemas.ts';
import { messagesOf, openNode } from './test-support/test-node.ts';
import { watchUnhandledRejections } from './test-support/unhandled-rejections.ts';

const OrderPaid = SocketMessage.define({ name: 'order.paid', data: orderSchema });
const LateOrderPaid = SocketMessage.define({ name: 'order.paid.late', data: lateOrderSchema });
const Amount = SocketMessage.define({ name: 'amount', data: numberFromText });
const LateAmount = SocketMessage.define({
	name: 'amount.late',
	data: schema<string, number>(async (value) => numberFromText['~standard'].validate(value)),
});
const Anything = SocketMessage.define({ name: 'anything', data: schema<unknown>((value) => ({ value })) });

const order = { id: 'o1', items: [{ price: 1.5 }] };
/** Bypasses the types, to pass an invalid value. */
const notAnOrder = { id: 7 } as unknown as typeof order;

describe('emit', () => {
	it('sends name, data, time and topic as JSON in a text frame to the topic', async () => {
		const node = await openNode();
		const [inside, outside] = [await node.connect({ topics: new Set(['account:42']) }), await node.connect()];
		const before = Date.now();
		await node.provider.emit(OrderPaid, 'account:42', order);
		await Promise.all([inside, outside].map(node.settled));

		const [text] = messagesOf(inside);
		const envelope = JSON.parse(String(text)) as { timestamp: number };
		expect(typeof text).toBe('string');
		expect(envelope).toEqual({
			name: 'order.paid',
			data: order,
			timestamp: expect.any(Number),
			topic: 'account:42',
		});
		expect(envelope.timestamp).toBeGreaterThanOrEqual(before);
		expect(envelope.timestamp).toBeLessThanOrEqual(Date.now());
		expect(messagesOf(outside)).toEqual([]);
	});

	it('sends the output of the schema', async () => {
		const node = await openNode();
		const member = await node.connect({ topics: new Set(['t']) });
		await node.provider.emit(Amount, 't', ' 42 ');
		await node.settled(member);

		expect(JSON.parse(String(messagesOf(member)[0]))).toMatchObject({ data: 42 });
	});

	it('waits for an async schema and sends its output', async () => {
		const node = await openNode();
		const member = await node.connect({ topics: new Set(['t']) });
		await node.provider.emit(LateOrderPaid, 't', order);
		await node.provider.emit(LateAmount, 't', '42');
		await node.settled(member);

		expect(messagesOf(member).map((text): unknown => JSON.parse(String(text)))).toMatchObject([
			{ name: 'order.paid.late', data: order },
			{ name: 'amount.late', data: 42 },
		]);
	});

	it.each([
		['one node', () => ({})],
		['a bus', () => ({ bus: new MemoryBackend().createBus() })],
	])('keeps the order of the calls on a topic while a schema takes its time, with %s', async (_, options) => {
		const node = await openNode(options());
		const member = await node.connect({ topics: new Set(['t', 'u']) });
		const gate = Promise.withResolvers<void>();
		const Slow = SocketMessage.define({
			name: 'slow',
			data: schema<number>(async (value) => {
				await gate.promise;
				return { value: value as number };
			}),
		});
		const buffer = new Uint8Array([3]);
		const calls = [
			node.provider.emit(Slow, 't', 1),
			node.provider.emit(Amount, 't', '2'),
			node.provider.publish('t', buffer),
			node.provider.publishFrom((await node.connect()).id, 't', '4'),
			node.provider.emit(Amount, 'u', '0'),
		];
		buffer.fill(9);
		gate.resolve();
		await Promise.all(calls);
		await node.settled(member);

		const seen = messagesOf(member).map((message) =>
			typeof message === 'string' && message.startsWith('{')
				? (JSON.parse(message) as { data: unknown }).data
				: message,
		);
		expect(seen).toEqual([0, 1, 2, new Uint8Array([3]), '4']);
	});

	it.each([
		['at once', OrderPaid],
		['later', LateOrderPaid],
	])('sends nothing when the schema refuses the data %s; the promise rejects', async (_, message) => {
		const node = await openNode();
		const member = await node.connect({ topics: new Set(['t']) });
		const error = await node.provider.emit(message, 't', notAnOrder).catch((thrown: unknown) => thrown);
		await node.settled(member);

		expect(error).toBeInstanceOf(MessageValidationError);
		expect(error).toMatchObject({ issues: [{ path: 'id', message: 'must be a string' }] });
		expect(node.log.problems).toEqual([]);
		expect(messagesOf(member)).toEqual([]);
	});

	it('refuses a value that cannot be sent, and says which one; nothing is sent', async () => {
		const node = await openNode();
		const member = await node.connect({ topics: new Set(['t']) });
		const circular: { self?: unknown } = {};
		circular.self = circular;
		for (const [data, reason] of [
			[circular, 'data.self is invalid or circular'],
			[{ amount: 1n }, 'data.amount is of type BigInt'],
			[{ items: [{ price: Number.NaN }] }, 'data.items.0.price is NaN'],
		] as const) {
			const error = await node.provider.emit(Anything, 't', data).catch((thrown: unknown) => thrown);
			expect(error).toBeInstanceOf(UnsupportedValueError);
			expect(error).toMatchObject({ messageName: 'anything', reason });
		}
		await node.settled(member);
		expect(messagesOf(member)).toEqual([]);
	});

	it('rejects with the error that a broken schema throws', async () => {
		const node = await openNode();
		const Broken = SocketMessage.define({
			name: 'broken',
			data: schema<unknown>(() => {
				throw new Error('schema is broken');
			}),
		});

		await expect(node.provider.emit(Broken, 't', 1)).rejects.toThrow('schema is broken');
	});

	it('rejects an invalid topic as publish does', async () => {
		const node = await openNode();

		await expect(node.provider.emit(OrderPaid, 'no topic', order)).rejects.toThrow('Invalid topic "no topic"');
	});

	it('causes no unhandled rejection when the promise is ignored, but logs it', async () => {
		const watch = watchUnhandledRejections();
		const node = await openNode();
		for (const message of [OrderPaid, LateOrderPaid]) void node.provider.emit(message, 't', notAnOrder);
		void node.provider.emit(Anything, 't', 1n);
		void node.provider.emit(OrderPaid, 'no topic', order);

		expect(await watch.seen()).toEqual([]);
		expect(countOf(node.log, 'warn')).toBe(4);
	});
});
