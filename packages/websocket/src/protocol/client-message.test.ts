import { describe, expect, it } from 'vitest';
import { lateOrderSchema, numberFromText, orderSchema, schema } from '../test-support/schemas.ts';
import {
	BuiltIn,
	encodeAnswer,
	encodeEnvelope,
	encodeGapNotice,
	encodeRefusal,
	encodeRequest,
	InvalidMessageDefinitionError,
	MessageValidationError,
	SocketError,
	SocketMessage,
	SocketRequestError,
	validateReply,
} from './index.ts';

const parsed = (text: string): unknown => JSON.parse(text) as unknown;

describe('on the wire', () => {
	it('an answer carries the correlation id and the data, unless it is undefined', () => {
		expect(parsed(encodeAnswer('chat.say', '7', { id: 1 }))).toEqual({
			type: 'chat.say',
			correlationId: '7',
			data: { id: 1 },
		});
		expect(parsed(encodeAnswer('chat.say', '7', undefined))).toEqual({ type: 'chat.say', correlationId: '7' });
		for (const value of [null, 0, '', false, []]) {
			expect(parsed(encodeAnswer('chat.say', '7', value))).toHaveProperty('data', value);
		}
	});

	it('a refusal carries an error, and a correlation id only if the message had one', () => {
		const error = { code: 'forbidden', message: 'You may "not"\n' };
		const refused = parsed(encodeRefusal('chat.say', '7', error.code, error.message));
		const unasked = parsed(encodeRefusal('chat.say', undefined, error.code, error.message));

		expect(refused).toEqual({ type: 'chat.say', correlationId: '7', error });
		expect(unasked).toEqual({ type: 'chat.say', error });
		expect(Object.keys(unasked as object)).toEqual(['type', 'error']);
	});

	it('a gap notice carries the topic and the time span, and no other property of its source', () => {
		const gap = { topic: 't', since: 1, until: 2, reason: 'the backend’s address, say' };

		expect(parsed(encodeGapNotice(gap))).toEqual({ type: '@gap', data: { topic: 't', since: 1, until: 2 } });
	});

	it('an emitted message carries its topic, if it has one, and no correlation id', () => {
		const timestamp = expect.any(Number) as number;

		expect(parsed(encodeEnvelope('tell', { a: 1 }, 'room:1'))).toEqual({
			name: 'tell',
			data: { a: 1 },
			timestamp,
			topic: 'room:1',
		});
		expect(Object.keys(parsed(encodeEnvelope('tell', 1)) as object)).toEqual(['name', 'data', 'timestamp']);
	});

	it('a request to a client is an envelope with a correlation id, and no topic', () => {
		const timestamp = expect.any(Number) as number;

		expect(parsed(encodeRequest('ask', { a: 1 }, 'n.1'))).toEqual({
			name: 'ask',
			data: { a: 1 },
			timestamp,
			correlationId: 'n.1',
		});
	});

	it('no message can have the name of a built-in type', () => {
		for (const name of Object.values(BuiltIn)) {
			expect(() => SocketMessage.define({ name, data: orderSchema })).toThrow(InvalidMessageDefinitionError);
		}
	});
});

describe('a SocketError', () => {
	it.each(['a', 'room_full', 'e404', 'invalid_data', `a${'0'.repeat(63)}`])('accepts the code %s', (code) => {
		const cause = new Error('why');
		const error = new SocketError(code, 'for humans', { cause });

		expect(error).toMatchObject({ name: 'SocketError', code, message: 'for humans', cause });
	});

	it.each([['', 'Room', 'room-full', 'room full', '4xx', '_x', 'é', 'a\n', `a${'0'.repeat(64)}`]].flat())(
		'rejects the code %j',
		(code) => {
			expect(() => new SocketError(code, 'x')).toThrow(TypeError);
			expect(() => new SocketError(code, 'x')).toThrow('An error code must match /^[a-z][a-z0-9_]{0,63}$/, not ');
		},
	);

	it.each([[undefined], [null], [7], [{}]])('rejects the code %o', (code) => {
		expect(() => new SocketError(code as string, 'x')).toThrow(TypeError);
	});
});

it('a SocketRequestError names the message, the reason and the code', () => {
	const cause = new Error('socket gone');
	const error = new SocketRequestError('ask', 'disconnected', 'the client has disconnected', { cause });

	expect(error).toMatchObject({ name: 'SocketRequestError', messageName: 'ask', code: 'disconnected', cause });
	expect(error.message).toBe('ask failed: the client has disconnected (disconnected)');
});

describe('validating a reply', () => {
	const order = { id: 'o1', items: [] };

	it('returns the output of a synchronous reply schema', () => {
		expect(validateReply(SocketMessage.define({ name: 'm', data: orderSchema, reply: numberFromText }), '42')).toBe(42);
	});

	it('returns a promise for an asynchronous reply schema', async () => {
		const message = SocketMessage.define({ name: 'm', data: orderSchema, reply: lateOrderSchema });

		expect(await validateReply(message, order)).toEqual(order);
		await expect(validateReply(message, 7)).rejects.toThrow(MessageValidationError);
	});

	it('returns null for a message without a reply schema, whatever the handler returned', () => {
		const message = SocketMessage.define({ name: 'm', data: orderSchema });

		expect([validateReply(message, undefined), validateReply(message, { secret: 1 })]).toEqual([null, null]);
	});

	it('throws an error with the message’s name and the issues', () => {
		const message = SocketMessage.define({
			name: 'm',
			data: orderSchema,
			reply: schema(() => ({ issues: [{ message: 'is invalid', path: ['a', 0] }] })),
		});

		expect(() => validateReply(message, 1)).toThrow(
			expect.objectContaining({ messageName: 'm', issues: [{ path: 'a.0', message: 'is invalid' }] }),
		);
	});

	it('throws for a value that is not a message definition', () => {
		for (const bad of [undefined, null, {}, { name: 'm' }, { name: 7, data: orderSchema }]) {
			expect(() => validateReply(bad as never, 1)).toThrow(InvalidMessageDefinitionError);
		}
	});
});
