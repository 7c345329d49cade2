import { describe, expect, it } from 'vitest';
import {
	BusUnavailableError,
	InvalidPayloadError,
	InvalidSocketIdError,
	InvalidTopicError,
	SubscribeError,
} from './index.ts';

const long = 'x'.repeat(1_000);
const values: [string, unknown][] = [
	['a long string', long],
	['a string of many lines', 'a\nb\r\nc\u2028d'],
	[
		'a function',
		(one: number, other: number) => {
			const sum = one + other;
			return `the sum of these two numbers, written out at some length for the sake of this test, is ${sum}, and not a bit more than that, nor less, whatever anybody may say about it at any time`;
		},
	],
	[
		'a class',
		class Named {
			readonly field = long;
		},
	],
	['a large number', 10n ** 500n],
	['a symbol', Symbol(`${long}\n`)],
	['an object without a prototype', Object.create(null)],
	['an object with a large text', { toString: () => long, toJSON: () => long }],
	['a large array', Array.from({ length: 1_000 }, () => long)],
	['an object that lies about its constructor', JSON.parse('{"constructor":{"name":5}}')],
	[
		'an object that throws when asked',
		{
			get constructor() {
				throw new Error('no');
			},
		},
	],
	['undefined', undefined],
	['NaN', Number.NaN],
];

describe('an error about a value', () => {
	it.each(values)('is short and on one line for %s', (_, value) => {
		for (const error of [
			new InvalidTopicError(value),
			new InvalidSocketIdError(value),
			new InvalidPayloadError(value),
		]) {
			expect(error.message.length).toBeLessThan(300);
			expect(error.message).not.toMatch(/[\r\n]/);
		}
	});

	it('keeps the whole value as a property', () => {
		expect(new InvalidTopicError(long).topic).toBe(long);
		expect(new InvalidSocketIdError(long).socketId).toBe(long);
	});
});

describe('an error about the backend', () => {
	it('keeps its cause and includes the cause’s message', () => {
		const cause = new Error('connection lost');
		for (const error of [new SubscribeError('t', { cause }), new BusUnavailableError('t', { cause })]) {
			expect(error).toMatchObject({ topic: 't', cause });
			expect(error.message).toMatch(/"t".*: connection lost$/);
		}
	});

	it('say of a message to a node that no socket is concerned', () => {
		const { message } = new BusUnavailableError(`!${crypto.randomUUID()}`, {});
		expect(message).toContain('that node may not have received it');
		expect(message).not.toContain('sockets');
	});
});
