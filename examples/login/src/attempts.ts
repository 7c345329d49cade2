import { isIP } from 'node:net';

const WINDOW_MS = 60_000;

/**
 * Limits how often each address may try a password within a minute. Correct passwords count as well: otherwise the
 * owner of one account could reset the count between guesses at another account. The minute is the same for all
 * addresses; when it ends, all counts are reset.
 */
export class Attempts {
	readonly #limit: number;
	readonly #counts = new Map<string, number>();
	#windowEndsAt = 0;

	constructor(limit: number) {
		this.#limit = limit;
	}

	/** Counts an attempt. Returns 0 if it may proceed, or the number of seconds until the next attempt may. */
	count(address: string): number {
		const now = performance.now();
		if (now >= this.#windowEndsAt) {
			this.#counts.clear();
			this.#windowEndsAt = now + WINDOW_MS;
		}
		const counted = networkOf(address);
		const attempts = this.#counts.get(counted) ?? 0;
		if (attempts >= this.#limit) return Math.ceil((this.#windowEndsAt - now) / 1_000);
		this.#counts.set(counted, attempts + 1);
		return 0;
	}
}

/**
 * Returns the key under which an address is counted. For IPv6 it is the /64, because one client can own all its
 * addresses.
 */
export function networkOf(address: string): string {
	const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
	if (mapped !== undefined) return mapped;
	if (isIP(address) !== 6) return address;
	const [head = '', tail] = address.toLowerCase().split('::');
	const left = head === '' ? [] : head.split(':');
	const right = tail === undefined || tail === '' ? [] : tail.split(':');
	const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
	const groups = [...left, ...Array<string>(zeros).fill('0'), ...right];
	return `${groups.slice(0, 4).join(':')}::/64`;
}
