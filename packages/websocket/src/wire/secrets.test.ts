import { describe, expect, it } from 'vitest';
import { InvalidOptionError, WsProvider, type WsProviderOptions } from '../index.ts';

const LONG = 'x'.repeat(32);

describe('the options of signing', () => {
	it('take text, bytes, and lists of both', () => {
		for (const secret of [LONG, new TextEncoder().encode(LONG), Buffer.from(LONG), [LONG], [LONG, Buffer.from(LONG)]])
			expect(() => new WsProvider({ secret, acceptUnsigned: true })).not.toThrow();
		expect(() => new WsProvider({ acceptUnsigned: false })).not.toThrow();
	});

	it.each<[unknown, string]>([
		[{ secret: 'too short, and private' }, 'secret must have at least 32 characters, not 22'],
		[{ secret: new Uint8Array(31) }, 'secret must have at least 32 bytes, not 31'],
		[{ secret: [LONG, 'short'] }, 'secret must have at least 32 characters, not 5'],
		[{ secret: [] }, 'secret must not be an empty list'],
		[{ secret: undefined }, 'secret is undefined; leave the option out if nothing is to be signed'],
		[{ secret: null }, 'or a list of those, not null'],
		[{ secret: 12_345_678 }, 'or a list of those, not a number'],
		[{ secret: { key: LONG } }, 'or a list of those, not {…}'],
		[{ secret: [[LONG]] }, 'or a list of those, not […]'],
		[{ secret: LONG, acceptUnsigned: 1 }, 'acceptUnsigned must be true or false, not 1'],
		[{ acceptUnsigned: true }, 'acceptUnsigned needs a secret'],
	])('%j is refused', (options, message) => {
		const create = (): WsProvider => new WsProvider(options as WsProviderOptions);
		expect(create).toThrow(InvalidOptionError);
		expect(create).toThrow(message);
	});
});
