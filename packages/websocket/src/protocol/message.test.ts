import { describe, expect, it } from 'vitest';
import { lateOrderSchema, numberFromText, orderSchema, schema } from '../test-support/schemas.ts';
import {
	encodeEnvelope,
	InvalidMessageDefinitionError,
	isDefinition,
	MessageValidationError,
	SocketMessage,
	validate,
	validateToSend,
} from './index.ts';
import { show } from './show.ts';

/** Takes any value that a plain JavaScript caller could pass. */
const define = SocketMessage.define as (definition: object) => SocketMessage;

const NO_SCHEMA =
	'is not a Standard Schema, such as those of zod, valibot and arktype; a TypeBox schema needs an adapter';

describe('defining a message', () => {
	it('returns a frozen definition with its name and schemas', () => {
		const message = SocketMessage.define({ name: 'order.paid', data: orderSchema, reply: numberFromText });

		expect(message).toEqual({ name: 'order.paid', data: orderSchema, reply: numberFromText });
		expect(Object.isFrozen(message)).toBe(true);
		expect(SocketMessage.define({ name: 'order.paid', data: orderSchema }).reply).toBeUndefined();
	});

	it.each(['a', 'A-Z_a.z:0', 'n'.repeat(128)])('allows the name %j', (name) => {
		expect(define({ name, data: orderSchema }).name).toBe(name);
	});

	it.each([
		[''],
		['n'.repeat(129)],
		['with space'],
		['line\n'],
		['ünicode'],
		['*'],
		['@x'],
		[7],
		[null],
		[undefined],
		[{}],
	])('rejects the name %j and states the rule', (name) => {
		const attempt = (): unknown => define({ name, data: orderSchema });

		expect(attempt).toThrow(InvalidMessageDefinitionError);
		expect(attempt).toThrow(`1 to 128 characters from A-Z a-z 0-9 _ : . -, not ${show(name)}`);
	});

	it.each([
		[undefined],
		[null],
		['string'],
		[{}],
		[{ parse() {} }],
		[{ '~standard': null }],
		[{ '~standard': { version: 1, vendor: 'x' } }],
	])('rejects %j as a schema, and names the wrong one', (bad) => {
		expect(() => define({ name: 'm', data: bad })).toThrow(new InvalidMessageDefinitionError(`data of m ${NO_SCHEMA}`));
		if (bad === undefined) return;
		expect(() => define({ name: 'm', data: orderSchema, reply: bad })).toThrow(
			new InvalidMessageDefinitionError(`reply of m ${NO_SCHEMA}`),
		);
	});

	it('rejects an unknown key, and names those that exist', () => {
		expect(() => define({ name: 'm', data: orderSchema, replay: orderSchema })).toThrow(
			new InvalidMessageDefinitionError('m has an unknown key "replay"; allowed are name, data and reply'),
		);
	});

	it('accepts a schema that is a function, as in arktype', () => {
		const callable = Object.assign(() => {}, orderSchema);

		expect(SocketMessage.define({ name: 'm', data: callable }).data).toBe(callable);
	});
});

describe('defining a message by its name', () => {
	const Unchecked = SocketMessage.define<{ n: number }, string>('unchecked');

	it('accepts any data, unchanged', () => {
		expect(isDefinition(Unchecked)).toBe(true);
		expect(Object.isFrozen(Unchecked)).toBe(true);
		for (const data of [{ n: 1 }, undefined, Number.NaN]) expect(validate(Unchecked, data as never)).toBe(data);
	});

	it('rejects a name as for any message', () => {
		expect(() => SocketMessage.define('no spaces')).toThrow(InvalidMessageDefinitionError);
	});

	it('is refused for data that a server sends, which must be checked', () => {
		expect(() => validateToSend(Unchecked, { n: 1 })).toThrow(
			new InvalidMessageDefinitionError(
				"unchecked has no schema, so a server can't check its data: define it with SocketMessage.define({ name, data })",
			),
		);
		expect(validateToSend(SocketMessage.define({ name: 'm', data: numberFromText }), '5')).toBe(5);
	});
});

describe('validating data', () => {
	const good = { id: 'o1', items: [{ price: 1 }] };
	const bad = { id: 7, items: [{ price: 1 }, { price: 'free' }] } as unknown as typeof good;

	it('returns the output of a synchronous schema', () => {
		const message = SocketMessage.define({ name: 'm', data: numberFromText });

		expect(validate(message, ' 42 ')).toBe(42);
	});

	it('returns a promise for an asynchronous schema', async () => {
		const message = SocketMessage.define({ name: 'm', data: lateOrderSchema });
		const answer = validate(message, good);

		expect(answer).toBeInstanceOf(Promise);
		expect(await answer).toBe(good);
	});

	it('throws an error that lists each path and its reason', () => {
		const message = SocketMessage.define({ name: 'order.paid', data: orderSchema });
		const attempt = (): unknown => validate(message, bad);

		expect(attempt).toThrow(MessageValidationError);
		expect(attempt).toThrow(
			'The data of order.paid does not match its schema: id: must be a string; items.1.price: must be a number',
		);
		expect(attempt).toThrow(
			expect.objectContaining({
				name: 'MessageValidationError',
				messageName: 'order.paid',
				issues: [
					{ path: 'id', message: 'must be a string' },
					{ path: 'items.1.price', message: 'must be a number' },
				],
			}),
		);
	});

	it('reports a fault of the data as a whole with an empty path', () => {
		const message = SocketMessage.define({
			name: 'm',
			data: schema(() => ({ issues: [{ message: 'is invalid', path: [] }] })),
		});

		expect(() => validate(message, 1)).toThrow(
			expect.objectContaining({
				message: 'The data of m does not match its schema: is invalid',
				issues: [{ path: '', message: 'is invalid' }],
			}),
		);
	});

	it('rejects with the same error for an asynchronous schema', async () => {
		const message = SocketMessage.define({ name: 'm', data: lateOrderSchema });

		await expect(validate(message, bad)).rejects.toThrow(
			expect.objectContaining({ name: 'MessageValidationError', issues: expect.arrayContaining([expect.anything()]) }),
		);
	});
});

it('an envelope is JSON with the name, the data and the time', () => {
	const before = Date.now();
	const envelope: unknown = JSON.parse(encodeEnvelope('m', { a: [1, 'é'] }));

	expect(envelope).toEqual({ name: 'm', data: { a: [1, 'é'] }, timestamp: expect.any(Number) });
	const { timestamp } = envelope as { timestamp: number };
	expect(timestamp).toBeGreaterThanOrEqual(before);
	expect(timestamp).toBeLessThanOrEqual(Date.now());
});
