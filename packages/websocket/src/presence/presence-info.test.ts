import { describe, expect, it } from 'vitest';
import { InvalidPresenceInfoError } from './errors.ts';
import { changed, encodeInfo, merged, plainInfo } from './presence-info.ts';

const invalid = (value: unknown): unknown => {
	try {
		return encodeInfo(value as object as Record<string, unknown>, 100);
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
		'is no JSON object if it is %s',
		(value) => {
			expect(invalid(value)).toMatch(/^The info of a member must be a JSON object such as .*, not /);
		},
	);

	it('must be JSON', () => {
		const circle: Record<string, unknown> = {};
		circle['self'] = circle;
		expect(invalid(circle)).toMatch(/^The info of a member must be JSON: /);
		expect(invalid({ big: 1n })).toMatch(/^The info of a member must be JSON: /);
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

	it('is what an object says of itself to JSON', () => {
		class Account {
			readonly name = 'Ann';
			readonly password = 'secret';
			toJSON(): object {
				return { name: this.name };
			}
		}
		expect(plainInfo(new Account() as object as Record<string, unknown>)).toEqual({ name: 'Ann' });
		expect(plainInfo({ toJSON: 'no function' })).toEqual({ toJSON: 'no function' });
	});

	it('is changed by setting properties, and removing those that are undefined', () => {
		expect(changed(undefined, { a: 1 })).toEqual({ a: 1 });
		expect(changed({ a: 1, b: 2 }, { a: undefined, c: 3 })).toEqual({ b: 2, c: 3 });
	});
});
