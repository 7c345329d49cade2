const SIDES = ['buy', 'sell'];

/**
 * Returns JSON of `size` characters (at least 5), as an application would send it: a list of records with names,
 * numbers and identifiers, and a text that fills it up. It is always the same, so that all messages have the same size
 * once they are compressed. A list can't be mistaken for a message of this system's protocol, so it is sent as it is.
 */
export function jsonPayload(size: number): string {
	const random = numbers();
	let records = '';
	for (;;) {
		const record = JSON.stringify({
			id: random(2 ** 32)
				.toString(16)
				.padStart(8, '0'),
			side: SIDES[random(2)],
			price: random(1_000_000) / 100,
			amount: random(500),
			customer: `customer-${random(90)}`,
			at: 1_764_000_000_000 + random(1_000_000_000),
		});
		const filling = size - records.length - '[""]'.length;
		if (record.length + 1 > filling) {
			return `[${records}"${Array.from({ length: filling }, () => random(36).toString(36)).join('')}"]`;
		}
		records += `${record},`;
	}
}

/** A generator of pseudorandom whole numbers below a bound. @see https://en.wikipedia.org/wiki/Xorshift */
function numbers(): (below: number) => number {
	let state = 0x9e3779b9;
	return (below) => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return (state >>> 0) % below;
	};
}
