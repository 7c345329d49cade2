import { BlockList, isIP } from 'node:net';
import { show } from '@orijs/websocket/internal';
import { ApplicationError } from '../errors.ts';

/** The address under which connections are counted: an IPv4 address, or the /64 network of an IPv6 address. */
export type ClientAddress = string;

/** Represents the peers of a Unix socket, which have no address, in `trustedProxies` and as a client's address. */
export const UNIX = 'unix';

const RULE =
	'it lists the proxies whose X-Forwarded-For and X-Forwarded-Host are trusted: addresses or networks, such as ' +
	"['10.0.0.0/8', '2001:db8::1'], and 'unix' for the peers of a Unix socket";

/** Private, loopback, link-local and shared networks (RFC 1918, 4193, 4291, 6598). */
const PRIVATE = [
	'10.0.0.0/8',
	'172.16.0.0/12',
	'192.168.0.0/16',
	'127.0.0.0/8',
	'169.254.0.0/16',
	'100.64.0.0/10',
	'::1/128',
	'fc00::/7',
	'fe80::/10',
];

const privateNetworks = networks(PRIVATE);

/** The maximum number of `X-Forwarded-For` entries that are read: a client can send more than a thousand. */
const MAX_HOPS = 32;

/** Determines the address of a request's client, even behind trusted proxies. */
export class ClientAddresses {
	readonly #trusted: BlockList;
	readonly #trustsUnix: boolean;

	/** @throws {ApplicationError} the argument is not a list of addresses and networks */
	constructor(trustedProxies: unknown = []) {
		if (!Array.isArray(trustedProxies))
			throw new ApplicationError(`trustedProxies must not be ${show(trustedProxies)}; ${RULE}`);
		this.#trusted = networks(trustedProxies.filter((entry) => entry !== UNIX));
		this.#trustsUnix = trustedProxies.includes(UNIX);
	}

	/**
	 * Returns the client's own address: the last hop that is not a trusted proxy. Earlier entries of `X-Forwarded-For`
	 * are ignored, because clients can forge them. Only the last 32 entries are read.
	 */
	of(headers: Headers, peer: string): string {
		let address = plain(peer);
		const forwarded = headers.get('x-forwarded-for');
		if (forwarded === null) return address;
		const hops = forwarded.split(',');
		for (let read = 0; read < MAX_HOPS && this.isTrusted(address); read++) {
			const hop = hops.pop()?.trim();
			if (hop === undefined) break;
			const next = plain(hop);
			if (isIP(next) === 0) break;
			address = next;
		}
		return address;
	}

	isTrusted(address: string): boolean {
		return address === UNIX ? this.#trustsUnix : contains(this.#trusted, plain(address));
	}
}

/**
 * Returns the address under which a connection is counted. IPv6 clients usually own a whole /64, so each /64 counts as
 * one address.
 */
export function countedAs(address: string): ClientAddress {
	const one = plain(address);
	return isIP(one) === 6 ? `${prefix(one).join(':')}::/64` : one;
}

/** Returns whether an address stands for a whole network, as those of IPv6 clients do. */
export function isNetwork(address: ClientAddress): boolean {
	return address.endsWith('/64');
}

/** Returns whether an address is private or loopback. The peers of a Unix socket count as private. */
export function isPrivate(address: string): boolean {
	return isIP(address) === 0 || contains(privateNetworks, plain(address));
}

function networks(entries: readonly unknown[]): BlockList {
	const list = new BlockList();
	for (const entry of entries) {
		const [address = '', prefix, ...rest] = typeof entry === 'string' ? entry.split('/') : [];
		const version = isIP(address);
		const bits = prefix === undefined ? (version === 4 ? 32 : 128) : Number(prefix);
		const fits = /^\d+$/.test(prefix ?? '0') && bits <= (version === 4 ? 32 : 128) && rest.length === 0;
		if (version === 0 || !fits) throw new ApplicationError(`trustedProxies must not contain ${show(entry)}; ${RULE}`);
		const mapped = plain(address);
		// IPv4-mapped addresses of peers are compared as IPv4.
		if (version === 6 && isIP(mapped) === 4 && bits >= 96) list.addSubnet(mapped, bits - 96, 'ipv4');
		else list.addSubnet(address, bits, version === 4 ? 'ipv4' : 'ipv6');
	}
	return list;
}

function contains(list: BlockList, address: string): boolean {
	const version = isIP(address);
	return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6');
}

/**
 * Normalizes an address: removes brackets, port and zone, puts IPv6 into canonical form, and turns IPv4-mapped IPv6
 * into IPv4.
 */
function plain(address: string): string {
	const bare = /^\[(.*)\](?::\d+)?$/.exec(address)?.[1] ?? /^([\d.]+):\d+$/.exec(address)?.[1] ?? address;
	const unzoned = bare.replace(/%.*$/, '');
	if (isIP(unzoned) !== 6) return unzoned.toLowerCase();
	const hex = unzoned.toLowerCase().replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) => {
		const [a = 0, b = 0, c = 0, d = 0] = parts.map(Number);
		return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
	});
	// Some notations that `isIP` accepts are not valid in a URL; they are kept as they are.
	const canonical = URL.canParse(`http://[${hex}]`) ? new URL(`http://[${hex}]`).hostname.slice(1, -1) : hex;
	const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
	if (mapped === null) return canonical;
	const [, high = '0', low = '0'] = mapped;
	const bits = Number.parseInt(high, 16) * 2 ** 16 + Number.parseInt(low, 16);
	return [24, 16, 8, 0].map((shift) => Math.floor(bits / 2 ** shift) % 256).join('.');
}

/** Returns the first four of the eight groups of an IPv6 address. */
function prefix(address: string): string[] {
	const [head = '', tail] = address.split('::');
	const left = head === '' ? [] : head.split(':');
	const right = tail === undefined || tail === '' ? [] : tail.split(':');
	const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
	return [...left, ...Array<string>(zeros).fill('0'), ...right].slice(0, 4);
}
