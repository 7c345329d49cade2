import { describe, expect, it } from 'vitest';
import { InvalidPresenceInfoError } from './errors.ts';
import { changed, copyInfo, encodeInfo, merged } from './presence-info.ts';

const invalid = (value: unknown): unknown => {
	try {
		return copyInfo(value as object as Record<string, unknown>);
	} catch (error) {
		expect(error).toBeInstanceOf(InvalidPresenceInfoError);
		return (error as InvalidPresenceInfoError).message;
	}
};

describe('info', () => {
	it('is encoded as JSON, or undefined without properties', () => {
		expect(encodeInfo({ name: 'Ann', left: undefined }, 100)).toBe('{"name":"Ann"}');
		expect(encodeInfo({}, 100)).toBeUndefined();
		expect(encodeInfo({ left: undefined }, 100)).toBeUndefined();
	});

	it.each([[[]], [null], ['text'], [7], [undefined], [() => ({})], [new Date(0)]])(
		'is no plain object if it is %s',
		(value) => {
			expect(invalid(value)).toMatch(/^The info of a member must be a JSON object such as .*, not /);
		},
	);

	class Account {
		readonly name = 'Ann';
		toJSON(): object {
			return { name: this.name };
		}
	}
	const circle: Record<string, unknown> = {};
	circle['self'] = [circle];
	let deep: object = {};
	for (let i = 0; i < 1_000; i++) deep = { deep };

	it.each<[what: string, info: object, where: string]>([
		['bytes', { a: new Uint8Array(1) }, 'info.a is of type Uint8Array'],
		['numbers in an array of their type', { a: { b: new Float64Array(1) } }, 'info.a.b is of type Float64Array'],
		['a date', { a: [0, { at: new Date(0) }] }, 'info.a.1.at is of type Date'],
		['a map', { a: new Map() }, 'info.a is of type Map'],
		['a set', { a: new Set() }, 'info.a is of type Set'],
		['an instance', { by: new Account() }, 'info.by is of type Account'],
		['a bigint', { a: 1n }, 'info.a is a bigint'],
		['a function', { a: () => 1 }, 'info.a is a function'],
		['a method toJSON', { toJSON: () => ({}) }, 'info.toJSON is a function'],
		['a symbol', { a: Symbol('s') }, 'info.a is a symbol'],
		['NaN', { a: { 'b\n': NaN } }, 'info.a.b\\u{a} is NaN'],
		['Infinity', { a: [-Infinity] }, 'info.a.0 is -Infinity'],
		['undefined in an array', { a: [1, undefined] }, 'info.a.1 is undefined'],
		['a hole in an array', { a: Array(1) }, 'info.a.0 is undefined'],
		['itself', circle, 'info.self.0 is in itself'],
	])('must be JSON, so it does not have %s', (_, info, where) => {
		expect(invalid(info)).toBe(
			`The info of a member must be JSON: ${where}: only text, finite numbers, booleans, null, arrays and plain objects are allowed`,
		);
	});

	it('is not nested too deeply', () => {
		expect(invalid(deep)).toContain(' is nested too deeply: ');
	});

	it('is copied', () => {
		const shared = { n: 1 };
		const info = { list: [shared, 'text', null, true], gone: undefined, inner: { gone: undefined, shared } };
		const copy = copyInfo(info);
		const before = JSON.stringify(info);
		shared.n = 2;
		info.list.push('more');
		expect(JSON.stringify(copy)).toBe(before);
		// It says what is to be removed.
		expect(Object.keys(copy)).toEqual(['list', 'gone', 'inner']);
		expect(Object.keys(copy['inner'] as object)).toEqual(['shared']);
		const odd = JSON.parse('{"__proto__":{"isAdmin":true}}') as object;
		expect(JSON.stringify(copyInfo({ odd }))).toBe('{"odd":{"__proto__":{"isAdmin":true}}}');
	});

	it('is limited in bytes, not in characters', () => {
		const text = 'ä'.repeat(40);
		expect(encodeInfo({ text }, 91)).toBe(`{"text":"${text}"}`);
		expect(() => encodeInfo({ text }, 90)).toThrow('at most 90 bytes as JSON, not 91');
		expect(() => encodeInfo({ text }, 90)).toThrow(expect.objectContaining({ code: 'too_large' }));
	});

	it('consists of parts, of which the later ones win', () => {
		expect(merged(undefined, undefined)).toBeUndefined();
		expect(merged({ name: 'a', status: 'away' }, undefined, { name: 'b' })).toEqual({ name: 'b', status: 'away' });
	});

	it('is changed by setting properties, and removing those that are undefined', () => {
		expect(changed(undefined, { a: 1 })).toEqual({ a: 1 });
		expect(changed({ a: 1, b: 2 }, { a: undefined, c: 3 })).toEqual({ b: 2, c: 3 });
	});
});
