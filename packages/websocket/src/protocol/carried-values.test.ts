import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { runInNewContext } from 'node:vm';
import { encodeEnvelope, encodeValues, restoreValues, UnsupportedValueError } from './index.ts';

/** A frame as its receiver reads it. */
function received(text: string): Record<string, unknown> {
	const frame = JSON.parse(text) as Record<string, unknown>;
	restoreValues(frame);
	return frame;
}

/** What a receiver gets as data, from a server and from a client. */
function arrivals(data: unknown): unknown[] {
	return [encodeEnvelope('m', data), encodeValues({ type: 'm', data }, TypeError)].map((text) => received(text).data);
}

function refusalOf(data: unknown): string {
	try {
		encodeEnvelope('m', data);
	} catch (error) {
		expect(error).toBeInstanceOf(UnsupportedValueError);
		const { reason, message } = error as UnsupportedValueError;
		expect(message).toBe(`The data of m can't be sent: ${reason}`);
		expect(() => encodeValues({ data }, RangeError)).toThrow(new RangeError(reason));
		return reason;
	}
	return 'sent';
}

/** @param kind the first entry of each list */
function nested(depth: number, open: (inner: unknown) => unknown): unknown {
	let value: unknown = 1;
	for (let i = 0; i < depth; i++) value = open(value);
	return value;
}

const BYTES = Uint8Array.of(0, 1, 62, 63, 127, 128, 255);

afterEach(() => vi.restoreAllMocks());

describe('values that arrive as they were sent', () => {
	it.each([
		['bytes', { photo: BYTES }],
		['no bytes', { photo: new Uint8Array() }],
		['an ArrayBuffer', { photo: BYTES.slice().buffer }],
		['a date', { at: new Date(1_795_480_303_331) }],
		['dates before the year 0 and after the year 9999', [new Date(-8.64e15), new Date(8.64e15)]],
		['bytes as the data itself', BYTES],
		['a date as the data itself', new Date(0)],
		['several of them, in lists and objects', { rows: [{ at: new Date(1), b: BYTES }, [new Date(2)]], '': BYTES }],
		['one value in two places', { a: BYTES, b: [BYTES] }],
		['keys that objects inherit', JSON.parse('{"__proto__":{"constructor":1},"hasOwnProperty":"x"}')],
		['data without such values', { a: [1, 'x', true, null, { b: {} }], c: [] }],
		['undefined', undefined],
		['null', null],
	])('%s', (_, data) => {
		for (const arrived of arrivals(data)) expect(arrived).toStrictEqual(data);
	});

	it('beside keys that objects inherit', () => {
		const data = JSON.parse('{"__proto__":{"at":0},"constructor":{}}') as Record<string, Record<string, unknown>>;
		Object.defineProperty(data, '__proto__', { value: { at: new Date(0) }, enumerable: true });
		for (const arrived of arrivals(data)) {
			expect(Object.getPrototypeOf(arrived)).toBe(Object.prototype);
			expect(Object.getOwnPropertyDescriptor(arrived, '__proto__')?.value).toEqual({ at: new Date(0) });
		}
	});

	it('a Buffer, and a part of a larger buffer, as a Uint8Array with those bytes only', () => {
		for (const bytes of [Buffer.from(BYTES), Uint8Array.of(9, ...BYTES, 9).subarray(1, -1)]) {
			for (const arrived of arrivals({ bytes })) expect(arrived).toStrictEqual({ bytes: BYTES });
		}
	});

	it('objects without a prototype, and of another realm', () => {
		const plain = Object.assign(Object.create(null) as object, { at: new Date(0), b: 1 });
		const foreign = runInNewContext('({ list: [{ at: new Date(5), bytes: Uint8Array.of(7) }] })') as object;
		for (const arrived of arrivals([plain, foreign])) {
			expect(arrived).toStrictEqual([
				{ at: new Date(0), b: 1 },
				{ list: [{ at: new Date(5), bytes: Uint8Array.of(7) }] },
			]);
		}
	});

	it('a member that is undefined is left out', () => {
		for (const arrived of arrivals({ a: undefined, at: new Date(0) }))
			expect(arrived).toStrictEqual({ at: new Date(0) });
		expect(arrivals({ a: undefined })).toStrictEqual([{}, {}]);
	});

	it('members that all objects inherit are not sent', () => {
		// oxlint-disable-next-line no-extend-native -- as old scripts do
		Object.defineProperty(Object.prototype, 'x-inherited', {
			value: () => {},
			enumerable: true,
			configurable: true,
			writable: true,
		});
		try {
			expect(Object.keys(arrivals({ a: 1 })[0] as object)).toEqual(['a']);
		} finally {
			delete (Object.prototype as Record<string, unknown>)['x-inherited'];
		}
	});

	it('whatever toJSON would make of plain objects and arrays', () => {
		const hidden = (value: object): object => Object.defineProperty(value, 'toJSON', { value: () => 'other' });
		expect(arrivals(hidden({ a: 1 }))).toEqual([{ a: 1 }, { a: 1 }]);
		expect(arrivals([hidden([1, { b: 2 }])])).toEqual([[[1, { b: 2 }]], [[1, { b: 2 }]]]);
		for (const arrived of arrivals(hidden({ at: new Date(0) }))) expect(arrived).toEqual({ at: new Date(0) });
		// oxlint-disable-next-line no-extend-native -- as old scripts do
		Object.defineProperty(Array.prototype, 'toJSON', { value: () => 'other', configurable: true });
		try {
			for (const arrived of arrivals({ list: [1] })) expect(arrived).toEqual({ list: [1] });
		} finally {
			delete (Array.prototype as { toJSON?: unknown }).toJSON;
		}
	});

	it('the largest depth, with and without dates', () => {
		for (const inner of [1, new Date(0)]) {
			let data: unknown = inner;
			for (let depth = 0; depth < 1_000; depth++) data = depth % 2 ? [data] : { a: data };
			expect(JSON.stringify(arrivals(data))).toBe(JSON.stringify([data, data]));
		}
	});

	it('random data', () => {
		const value = fc.letrec((tie) => ({
			any: fc.oneof(
				{ depthSize: 'small' },
				fc.date({ noInvalidDate: true }),
				fc.uint8Array(),
				fc.uint8Array().map((bytes) => bytes.slice().buffer),
				fc.string({ unit: 'binary' }),
				fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
				fc.boolean(),
				fc.constant(null),
				fc.array(tie('any')),
				fc.dictionary(fc.string(), tie('any'), { noNullPrototype: true }),
			),
		})).any;
		fc.assert(
			fc.property(value, (data) => {
				for (const arrived of arrivals(data)) expect(arrived).toStrictEqual(data);
			}),
			{ seed: 7, numRuns: 1_000 },
		);
	});
});

describe('on the wire', () => {
	it('dates and bytes are text in their place, and a list says where', () => {
		const data = { name: 'Ada', photo: BYTES, visits: [{ at: new Date(0) }], raw: BYTES.slice().buffer };
		expect(JSON.parse(encodeEnvelope('user', data, 'users'))).toEqual({
			name: 'user',
			data: { name: 'Ada', photo: 'AAE+P3+A/w==', visits: [{ at: '1970-01-01T00:00:00.000Z' }], raw: 'AAE+P3+A/w==' },
			timestamp: expect.any(Number),
			topic: 'users',
			values: [
				['uint8array', 'photo'],
				['date', 'visits', '0', 'at'],
				['arraybuffer', 'raw'],
			],
		});
	});

	it('other data has no list', () => {
		for (const data of [{ a: 1 }, undefined, Object.create(Object.create(null) as object)]) {
			expect(JSON.parse(encodeEnvelope('m', data))).not.toHaveProperty('values');
			expect(JSON.parse(encodeValues({ type: 'm', data }, TypeError))).not.toHaveProperty('values');
		}
	});

	it('the receiver does not see the list', () => {
		expect(received(encodeEnvelope('m', BYTES))).not.toHaveProperty('values');
	});

	it('is the same in engines without base64 methods', () => {
		const data = { photo: BYTES, large: new Uint8Array(300_000).map((_, i) => i) };
		const text = encodeEnvelope('m', data);
		vi.spyOn(Uint8Array.prototype as { toBase64(): unknown }, 'toBase64').mockReturnValue(undefined);
		vi.spyOn(Uint8Array as { fromBase64(text: string): unknown }, 'fromBase64').mockReturnValue(undefined);
		expect(JSON.parse(encodeEnvelope('m', data))).toMatchObject({ data: (JSON.parse(text) as { data: object }).data });
		expect(received(text).data).toStrictEqual(data);
		expect(() => received('{"data":"AB==","values":[["uint8array"]]}')).toThrow();
	});
});

describe('values that are refused, with their path', () => {
	class Point {
		readonly x = 1;
	}
	class Amount {
		toJSON(): string {
			return '5';
		}
	}
	class Unreadable {
		toJSON(): string {
			throw new Error('simulated');
		}
	}
	const circular: Record<string, unknown> = { list: [] };
	(circular['list'] as unknown[]).push({ parent: circular });

	it.each<[unknown, string]>([
		[{ items: [1, 2, 3, { price: Number.NaN }] }, 'data.items.3.price is NaN'],
		[{ a: Infinity }, 'data.a is Infinity'],
		[-Infinity, 'data is -Infinity'],
		[{ m: new Map([['a', 1]]) }, 'data.m is of type Map'],
		[{ m: new Set() }, 'data.m is of type Set'],
		[{ id: 5n }, 'data.id is of type BigInt'],
		[{ f() {} }, 'data.f is of type Function'],
		[{ toJSON: () => 'x' }, 'data.toJSON is of type Function'],
		[[Symbol('s')], 'data.0 is of type Symbol'],
		[{ at: new Date(Number.NaN) }, 'data.at is invalid or circular'],
		[circular, 'data.list.0.parent is invalid or circular'],
		[{ p: new Point() }, 'data.p is of type Point'],
		[{ p: new Amount() }, 'data.p is of type Amount'],
		[{ b: new Int16Array(1) }, 'data.b is of type Int16Array'],
		[{ b: new Uint8ClampedArray(1) }, 'data.b is of type Uint8ClampedArray'],
		[{ b: new DataView(new ArrayBuffer(1)) }, 'data.b is of type DataView'],
		[{ b: new SharedArrayBuffer(1) }, 'data.b is of type SharedArrayBuffer'],
		[[1, undefined], 'data.1 is undefined'],
		// oxlint-disable-next-line no-sparse-arrays -- such a list is refused
		[{ list: [1, , 3] }, 'data.list.1 is undefined'],
		[{ later: Promise.resolve(1) }, 'data.later is of type Promise'],
		[new Error('e'), 'data is of type Error'],
		[/x/, 'data is of type RegExp'],
		[{ ok: new Date(0), n: Number.NaN }, 'data.n is NaN'],
		[{ 'a\nb': Number.NaN }, 'data.a\\u{a}b is NaN'],
		[{ ['k'.repeat(500)]: Number.NaN }, `data.${'k'.repeat(195)}… is NaN`],
	])('%o', (data, reason) => {
		expect(refusalOf(data)).toBe(reason);
	});

	it('bytes that were transferred', () => {
		const bytes = new Uint8Array(5);
		structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
		for (const b of [bytes, bytes.buffer]) expect(refusalOf({ b })).toBe('data.b is invalid or circular');
	});

	it('an object that can not be read', () => {
		expect(refusalOf({ p: new Unreadable() })).toMatch(/is invalid or circular$/);
	});

	it('dates under a long key whose paths would make a small message huge', () => {
		const dates = Array.from({ length: 1_000 }, (_, i) => new Date(i));
		expect(() => encodeEnvelope('m', { ['k'.repeat(10_000)]: dates })).toThrow(
			"The data of m can't be sent: the paths to its dates and bytes are longer than 4 MiB in all",
		);
		expect(encodeEnvelope('m', { ['k'.repeat(10_000)]: dates.slice(0, 400) }).length).toBeGreaterThan(4_000_000);
	});

	it.each([1_001, 10_000, 50_000])('nesting of %i levels', (depth) => {
		for (const open of [(a: unknown) => [a], (a: unknown) => ({ a })]) {
			expect(refusalOf(nested(depth, open))).toMatch(/^data\.(a|0)\..{190,}… is nested too deeply$/);
		}
	});
});

describe('lists from an untrusted sender', () => {
	const frame = (data: unknown, values: unknown): Record<string, unknown> => ({ type: 'm', data, values });

	it.each<[unknown, unknown]>([
		['AA==', null],
		['AA==', 'uint8array'],
		['AA==', { 0: ['uint8array'] }],
		['AA==', 5],
		['AA==', [[]]],
		['AA==', [null]],
		['AA==', ['uint8array']],
		['AA==', [['bytes']]],
		['AA==', [['toString']]],
		['AA==', [['__proto__']]],
		['AA==', [['constructor']]],
		['AA==', [[['uint8array']]]],
		['AA==', [['uint8array'], ['uint8array']]],
		['AA==', [['uint8array', 0]]],
		['AA==', [['uint8array', 'length']]],
		[undefined, [['date']]],
		[null, [['date']]],
		[5, [['uint8array']]],
		[0, [['date']]],
		[{ a: 'AA==' }, [['uint8array']]],
		[{ a: 'AA==' }, [['uint8array', 'b']]],
		[{ a: 'AA==' }, [['uint8array', 'a', 'b']]],
		[{ a: 'AA==' }, [['uint8array', 'a', '__proto__', 'b']]],
		[{ a: 'AA==' }, [['uint8array', '__proto__', 'b']]],
		[{ a: 'AA==' }, [['uint8array', 'constructor', 'name']]],
		[{ a: 'AA==' }, [['uint8array', { toString: 'a' }]]],
		[['AA=='], [['uint8array', 1]]],
		[['AA=='], [['uint8array', -1]]],
		[['AA=='], [['uint8array', 'length']]],
		[
			{ a: 'AA==' },
			[
				['uint8array', 'a'],
				['uint8array', 'a', 0],
			],
		],
	])('%j with %j is refused, and no property appears', (data, values) => {
		const given = frame(data, values);
		expect(() => restoreValues(given)).toThrow();
		expect(Object.keys(given)).toEqual(['type', 'data', 'values']);
		expect(({} as { b?: unknown }).b).toBeUndefined();
		expect('AA=='.length).toBe(4);
	});

	it.each(['A', 'AA', 'AA=', 'AA===', 'AB==', ' AA==', 'AA==\n', 'A A=', 'AA-_', 'AAAA====', '!!!!', '====', 'é'])(
		'%j is not base64',
		(text) => {
			for (const kind of ['uint8array', 'arraybuffer']) {
				expect(() => restoreValues(frame({ a: text }, [[kind, 'a']]))).toThrow();
			}
		},
	);

	it.each(['', '0', '1970', '1970-01-01', '1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000', 'Thu Jan 01 1970', 'x'])(
		'%j is not a date',
		(text) => {
			expect(() => restoreValues(frame({ a: text }, [['date', 'a']]))).toThrow();
		},
	);

	it('reach nothing that the data inherits', () => {
		const parent = { a: 'AA==', b: { c: 'AA==' } };
		for (const path of [['a'], ['b', 'c']]) {
			const data = Object.create(parent) as object;
			expect(() => restoreValues(frame(data, [['uint8array', ...path]]))).toThrow();
			expect(Object.keys(data)).toEqual([]);
		}
		expect(parent).toEqual({ a: 'AA==', b: { c: 'AA==' } });
	});

	it('reach nothing but the data', () => {
		const given = { type: new Date(0).toISOString(), data: {}, values: [['date', 'type']] as const };
		expect(() => restoreValues(given)).toThrow();
		expect(given.type).toBe(new Date(0).toISOString());
	});

	it('can be long, and their paths deep', () => {
		const path = Array.from({ length: 30_000 }, () => 'a');
		expect(() => restoreValues(frame({ a: 'AA==' }, [['uint8array', ...path]]))).toThrow();
		const many = Array.from({ length: 5_000 }, (_, i) => ['uint8array', i]);
		const given = frame(
			many.map(() => ''),
			many,
		);
		restoreValues(given);
		expect(given['data']).toStrictEqual(many.map(() => new Uint8Array()));
	});
});
