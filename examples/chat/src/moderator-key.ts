import { timingSafeEqual } from 'node:crypto';

/** Returns a check of the moderators' key. How long it takes says nothing about the key. */
export function keyCheck(key: string): (given: unknown) => boolean {
	const wanted = digest(key);
	return (given) => typeof given === 'string' && timingSafeEqual(digest(given), wanted);
}

function digest(text: string): Uint8Array {
	return new Bun.CryptoHasher('sha256').update(text).digest();
}
