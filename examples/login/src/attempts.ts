import { isIP } from 'node:net';

const WINDOW_MS = 60_000;

/**
 * How often each address may try a password within a minute. Right ones count as well: otherwise somebody with an account could start
 * afresh after every few guesses at another one. All addresses share the minute, after which everything is forgotten.
 */
export class Attempts {
	readonly #limit: number;
	readonly #counts = new Map<string, number>();
	#windowEndsAt = 0;

	constructor(limit: number) {
		this.#limit = limit;
	}

	/** Counts an attempt. Returns 0 if it may go on, or else for how many seconds there is no point in another one. */
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

/** What an address is counted as: anyone can have all the IPv6 addresses of a /64. */
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
