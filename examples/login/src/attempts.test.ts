import { expect, test } from 'vitest';
import { networkOf } from './attempts.ts';

test.each([
	['192.0.2.1', '192.0.2.1'],
	['::ffff:192.0.2.1', '192.0.2.1'],
	['::1', '0:0:0:0::/64'],
	['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
	['2001:DB8::5', '2001:db8:0:0::/64'],
	['2001:db8:1::', '2001:db8:1:0::/64'],
	['', ''],
])('the address %j is counted as %j', (address, network) => {
	expect(networkOf(address)).toBe(network);
});
