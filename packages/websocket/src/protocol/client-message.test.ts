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
	it('an answer names the request and has data, which is null where there is none', () => {
		expect(parsed(encodeAnswer('chat.say', '7', { id: 1 }))).toEqual({
			type: 'chat.say',
			correlationId: '7',
			data: { id: 1 },
		});
		for (const nothing of [undefined, null]) {
			expect(parsed(encodeAnswer('chat.say', '7', nothing))).toHaveProperty('data', null);
		}
		for (const value of [0, '', false, []]) {
			expect(parsed(encodeAnswer('chat.say', '7', value))).toHaveProperty('data', value);
		}
	});

	it('a refusal has an error, and a correlation id only where there was one', () => {
		const error = { code: 'forbidden', message: 'You may "not"\n' };
		const refused = parsed(encodeRefusal('chat.say', '7', error.code, error.message));
		const unasked = parsed(encodeRefusal('chat.say', undefined, error.code, error.message));

		expect(refused).toEqual({ type: 'chat.say', correlationId: '7', error });
		expect(unasked).toEqual({ type: 'chat.say', error });
		expect(Object.keys(unasked as object)).toEqual(['type', 'error']);
	});

	it('a gap notice has the topic and the span, and nothing else of what it was made from', () => {
		const gap = { topic: 't', since: 1, until: 2, reason: 'the backend’s address, say' };

		expect(parsed(encodeGapNotice(gap))).toEqual({ type: '@gap', data: { topic: 't', since: 1, until: 2 } });
	});

	it('an emitted message has its topic if it went to one, and no correlation id', () => {
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

	it('no message can be named as the system’s own types are', () => {
		for (const name of Object.values(BuiltIn)) {
			expect(() => SocketMessage.define({ name, data: orderSchema })).toThrow(InvalidMessageDefinitionError);
		}
	});
});

describe('an error that a handler answers with', () => {
	it.each(['a', 'room_full', 'e404', 'invalid_data', `a${'0'.repeat(63)}`])('may have the code %s', (code) => {
		const cause = new Error('why');
		const error = new SocketError(code, 'for people', { cause });

		expect(error).toMatchObject({ name: 'SocketError', code, message: 'for people', cause });
	});

	it.each([['', 'Room', 'room-full', 'room full', '4xx', '_x', 'é', 'a\n', `a${'0'.repeat(64)}`]].flat())(
		'may not have the code %j',
		(code) => {
			expect(() => new SocketError(code, 'x')).toThrow(TypeError);
			expect(() => new SocketError(code, 'x')).toThrow('1 to 64 characters out of a-z 0-9 _, beginning with a letter');
		},
	);

	it.each([[undefined], [null], [7], [{}]])('may not have the code %o', (code) => {
		expect(() => new SocketError(code as string, 'x')).toThrow(TypeError);
	});
});

it('a request that failed says which, with what code and why', () => {
	const cause = new Error('socket gone');
	const error = new SocketRequestError('ask', 'disconnected', 'the client has disconnected', { cause });

	expect(error).toMatchObject({ name: 'SocketRequestError', messageName: 'ask', code: 'disconnected', cause });
	expect(error.message).toBe('ask was not answered: the client has disconnected (disconnected)');
});

describe('validating a reply', () => {
	const order = { id: 'o1', items: [] };

	it('gives what the reply’s schema makes of it, at once where the schema does', () => {
		expect(validateReply(SocketMessage.define({ name: 'm', data: orderSchema, reply: numberFromText }), '42')).toBe(42);
	});

	it('gives a promise where the schema does', async () => {
		const message = SocketMessage.define({ name: 'm', data: orderSchema, reply: lateOrderSchema });

		expect(await validateReply(message, order)).toEqual(order);
		await expect(validateReply(message, 7)).rejects.toThrow(MessageValidationError);
	});

	it('gives null for a message that has no reply, whatever was returned', () => {
		const message = SocketMessage.define({ name: 'm', data: orderSchema });

		expect([validateReply(message, undefined), validateReply(message, { secret: 1 })]).toEqual([null, null]);
	});

	it('throws with the message’s name and what is wrong', () => {
		const message = SocketMessage.define({
			name: 'm',
			data: orderSchema,
			reply: schema(() => ({ issues: [{ message: 'is no good', path: ['a', 0] }] })),
		});

		expect(() => validateReply(message, 1)).toThrow(
			expect.objectContaining({ messageName: 'm', issues: [{ path: 'a.0', message: 'is no good' }] }),
		);
	});

	it('throws for what is no message', () => {
		for (const bad of [undefined, null, {}, { name: 'm' }, { name: 7, data: orderSchema }]) {
			expect(() => validateReply(bad as never, 1)).toThrow(InvalidMessageDefinitionError);
		}
	});
});
