import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApplicationError } from '../errors.ts';
import { ClientAddresses, countedAs, isPrivate } from './client-address.ts';

const PROXY = '10.0.0.1';

/** Returns a client's address as seen by a server that trusts the proxies in `trusted`. */
function addressOf(forwarded: string | undefined, { peer = PROXY, trusted = ['10.0.0.0/8'] } = {}): string {
	const headers = new Headers(forwarded === undefined ? {} : { 'x-forwarded-for': forwarded });
	return new ClientAddresses(trusted).of(headers, peer);
}

describe('the address of a client', () => {
	it('is the peer’s if no proxy is trusted, whatever the header says', () => {
		expect(addressOf('1.2.3.4', { peer: '203.0.113.9', trusted: [] })).toBe('203.0.113.9');
		expect(addressOf('1.2.3.4', { trusted: [] })).toBe(PROXY);
	});

	it('is the peer’s if that is not a trusted proxy', () => {
		expect(addressOf('1.2.3.4', { peer: '203.0.113.9' })).toBe('203.0.113.9');
	});

	it('is the one reported by a trusted proxy', () => {
		expect(addressOf('203.0.113.9')).toBe('203.0.113.9');
		expect(addressOf(undefined)).toBe(PROXY);
	});

	it('is the last hop that is not a trusted proxy, so that clients can’t forge it', () => {
		expect(addressOf('127.0.0.1, 203.0.113.9')).toBe('203.0.113.9');
		expect(addressOf('1.1.1.1, 203.0.113.9, 10.0.0.7,10.0.0.8')).toBe('203.0.113.9');
		expect(addressOf('10.0.0.9, 203.0.113.9, 10.0.0.7')).toBe('203.0.113.9');
	});

	it('is the first trusted proxy if there is no other hop', () => {
		expect(addressOf('10.0.0.9, 10.0.0.8')).toBe('10.0.0.9');
	});

	it('is looked for only among the last 32 hops', () => {
		const proxies = (count: number): string => Array.from({ length: count }, (_, i) => `10.0.0.${i + 10}`).join(',');
		expect(addressOf(`203.0.113.9,${proxies(31)}`)).toBe('203.0.113.9');
		expect(addressOf(`203.0.113.9,${proxies(32)}`)).toBe('10.0.0.10');
	});

	it.each([
		['203.0.113.9:41234', '203.0.113.9'],
		['[2001:db8::9]', '2001:db8::9'],
		['[2001:db8::9]:41234', '2001:db8::9'],
		['2001:DB8::9', '2001:db8::9'],
		['fe80::1%eth0', 'fe80::1'],
		['::ffff:203.0.113.9', '203.0.113.9'],
		['::FFFF:203.0.113.9', '203.0.113.9'],
		['[::ffff:203.0.113.9]:80', '203.0.113.9'],
		['  203.0.113.9\t', '203.0.113.9'],
	])('is read from %j', (written, address) => {
		expect(addressOf(written)).toBe(address);
	});

	it.each(['unknown', '_hidden', '', ',', '203.0.113', '203.0.113.256', '[::1', 'for=203.0.113.9', '203.0.113.9;x'])(
		'is that of the last proxy where it is given as %j',
		(garbage) => {
			expect(addressOf(garbage)).toBe(PROXY);
			expect(addressOf(`203.0.113.9, ${garbage}`)).toBe(PROXY);
			expect(addressOf(`${garbage}, 203.0.113.9`)).toBe('203.0.113.9');
		},
	);

	it('is found even if Bun or the list has an IPv4 peer as IPv6', () => {
		expect(addressOf('203.0.113.9', { peer: '::ffff:10.0.0.1' })).toBe('203.0.113.9');
		expect(addressOf('203.0.113.9', { trusted: ['::ffff:10.0.0.1'] })).toBe('203.0.113.9');
		expect(addressOf(undefined, { peer: '::ffff:203.0.113.9' })).toBe('203.0.113.9');
	});

	it('is never arbitrary header text', () => {
		const text = fc.oneof(
			fc.string({
				unit: fc.constantFrom(...Array.from('0123456789abcdef:.,[]%/ '), '::ffff:', '10.0.0.1', '2001:db8::'),
			}),
			fc.string(),
			fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), { maxLength: 6 }).map((hops) => hops.join(',')),
		);
		const asHeader = (value: string): string => value.replace(/[^\x20-\x7e]/g, '?');
		fc.assert(
			fc.property(text, fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant(PROXY), fc.constant('')), (value, peer) => {
				const address = addressOf(asHeader(value), { peer });
				expect(typeof countedAs(address)).toBe('string');
				expect(typeof isPrivate(address)).toBe('boolean');
			}),
			{ numRuns: 500 },
		);
	});

	it('never depends on entries before the last untrusted hop', () => {
		fc.assert(
			fc.property(fc.array(fc.oneof(fc.ipV4(), fc.string({ unit: 'grapheme-ascii' }))), (spoofed) => {
				expect(addressOf([...spoofed, '203.0.113.9', '10.0.0.3'].join(','))).toBe('203.0.113.9');
			}),
		);
	});
});

describe('connections are counted', () => {
	it('by address for IPv4', () => {
		expect([countedAs('203.0.113.9'), countedAs('203.0.113.10')]).toEqual(['203.0.113.9', '203.0.113.10']);
	});

	it.each([
		['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
		['2001:db8:1:2::', '2001:db8:1:2::/64'],
		['2001:0db8:0001:0002:ffff::1', '2001:db8:1:2::/64'],
		['2001:db8::1', '2001:db8:0:0::/64'],
		['::1', '0:0:0:0::/64'],
		['::', '0:0:0:0::/64'],
		['1::8', '1:0:0:0::/64'],
		['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
		['::2:3:4:5:6:7:8', '0:2:3:4::/64'],
		['64:ff9b::203.0.113.9', '64:ff9b:0:0::/64'],
	])('by its /64 for %s', (address, counted) => {
		expect(countedAs(address)).toBe(counted);
	});

	it('the same for all notations of an IPv6 address', () => {
		fc.assert(
			fc.property(fc.ipV6(), (written) => {
				fc.pre(URL.canParse(`http://[${written}]`));
				const canonical = new URL(`http://[${written}]`).hostname.slice(1, -1);
				expect(countedAs(written)).toBe(countedAs(canonical));
			}),
			{ numRuns: 1_000 },
		);
	});

	it('the same for an IPv4 address and its two IPv6 notations', () => {
		const counted = ['203.0.113.9', '::ffff:203.0.113.9', '::ffff:cb00:7109'].map((address) =>
			countedAs(addressOf(address)),
		);

		expect(new Set(counted)).toEqual(new Set(['203.0.113.9']));
	});
});

it.each([
	['127.0.0.1', true],
	['10.255.0.1', true],
	['172.16.0.1', true],
	['172.31.255.255', true],
	['192.168.1.1', true],
	['169.254.1.1', true],
	['100.64.0.1', true],
	['::1', true],
	['fd00::1', true],
	['fe80::1', true],
	['172.32.0.1', false],
	['192.169.0.1', false],
	['100.128.0.1', false],
	['8.8.8.8', false],
	['2001:db8::1', false],
	['unix', true],
	// A client that has left has no address.
	['', true],
])('isPrivate(%j) is %s', (address, expected) => {
	expect(isPrivate(address)).toBe(expected);
});

describe('a list of trusted proxies', () => {
	it.each([
		['10.0.0.0/8', '10.1.2.3', '11.0.0.1'],
		['10.0.0.1', '10.0.0.1', '10.0.0.2'],
		['0.0.0.0/0', '203.0.113.9', '2001:db8::1'],
		['2001:db8::/32', '2001:db8:9::1', '2001:db9::1'],
		['2001:db8::1', '2001:db8:0:0::1', '2001:db8::2'],
		['::1/128', '::1', '::2'],
		['::ffff:10.0.0.1', '10.0.0.1', '10.0.0.2'],
		['::ffff:10.0.0.0/104', '10.1.2.3', '11.0.0.1'],
		['unix', 'unix', '127.0.0.1'],
		['0.0.0.0/0', '127.0.0.1', 'unix'],
	])('of %s includes %s but not %s', (entry, inside, outside) => {
		const addresses = new ClientAddresses([entry]);

		expect([addresses.isTrusted(inside), addresses.isTrusted(outside)]).toEqual([true, false]);
	});

	it('trusts no peer without a known address', () => {
		expect(new ClientAddresses(['0.0.0.0/0', '::/0']).isTrusted('')).toBe(false);
		expect(new ClientAddresses(['unix']).isTrusted('')).toBe(false);
	});

	it.each<[unknown]>([
		['10.0.0.0/8'],
		[null],
		[{}],
		[[7]],
		[[null]],
		[['']],
		[['localhost']],
		[['10.0.0.0/']],
		[['10.0.0.0/33']],
		[['10.0.0.0/-1']],
		[['10.0.0.0/8/8']],
		[['10.0.0.0/8.5']],
		[['10.0.0']],
		[['2001:db8::/129']],
		[['[2001:db8::1]']],
		[['10.0.0.1:80']],
		[['10.0.0.1', 'bad']],
		[['unix:']],
		[['/run/app.sock']],
	])('that is invalid is refused with the rule: %j', (trusted) => {
		expect(() => new ClientAddresses(trusted)).toThrow(ApplicationError);
		expect(() => new ClientAddresses(trusted)).toThrow(
			/trustedProxies must not (be|contain) .+; it lists the proxies whose .* are trusted: addresses or networks, such as/,
		);
	});
});
